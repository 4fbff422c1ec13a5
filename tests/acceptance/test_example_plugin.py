"""The example package, installed as described in its README."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "acme-plugin"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the example package, installed from a copy of its sources."""
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(EXAMPLE, folder / "source")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    target = folder / "site"
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--target", target, source], check=True)
    return target


def dwgate(site: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dwgate", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join((str(site), str(ROOT)))},
    )


def break_package(site: Path, tmp_path: Path, module: str, source: str) -> Path:
    """Copy the installed package and replace one module; return the copy."""
    copy = shutil.copytree(site, tmp_path / "site")
    (copy / "acme_dwgate" / module).write_text(source)
    return copy


def test_the_check_passes_its_cases(site: Path) -> None:
    done = dwgate(site, "policy", "test", EXAMPLE / "cases.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2" in done.stdout


def test_the_rule_has_a_page(site: Path) -> None:
    done = dwgate(site, "rules", "ACME-C01")
    assert done.stdout.startswith("A scheduled node reads a development table.")
    assert "ACME-C01" in dwgate(site, "rules").stdout


def test_the_rule_finds_the_node(site: Path) -> None:
    done = dwgate(site, "review", "--format", "json", EXAMPLE / "node.sql")
    assert done.returncode == 1, done.stderr
    (finding,) = (
        item for item in json.loads(done.stdout)["files"][0]["findings"] if item["rule"] == "ACME-C01"
    )
    assert (finding["line"], finding["name"]) == (2, "dev-table-read")


def test_a_policy_can_set_the_rules_options(site: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "version: 1\npoints:\n  commit-file:\n    checks:\n      code-review:\n        options:\n"
        "          rules: {ACME-C01: {prefix: scratch_}}\n"
    )
    done = dwgate(site, "review", "--policy", policy, "--format", "json", EXAMPLE / "node.sql")
    assert "ACME-C01" not in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import acme_missing\n", "cannot be imported: ModuleNotFoundError: No module named 'acme_missing'"),
        ("raise SystemExit(3)\n", "cannot be imported: SystemExit: 3"),
        ("def broken(:\n", "cannot be imported: SyntaxError"),
        ("CHECK = 1\n", "its module registers no check"),
    ],
)
def test_a_check_that_cannot_be_loaded_ends_with_an_error(
    site: Path, tmp_path: Path, source: str, reason: str
) -> None:
    broken = break_package(site, tmp_path, "checks.py", source)
    doctor = dwgate(broken, "doctor", "--json")
    assert any(reason in item["detail"] for item in json.loads(doctor.stdout)["diagnoses"]), doctor.stdout
    if "registers no check" not in reason:
        done = dwgate(broken, "policy", "test", "--json", EXAMPLE / "cases.yaml")
        assert done.returncode == 1
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import acme_missing\n", "cannot be imported: ModuleNotFoundError"),
        ("RULE = 1\n", "refers to no rule, and to no module with one"),
    ],
)
def test_a_rule_that_cannot_be_loaded_leaves_the_others(
    site: Path, tmp_path: Path, source: str, reason: str
) -> None:
    broken = break_package(site, tmp_path, "rules.py", source)
    doctor = dwgate(broken, "doctor", "--json")
    assert any(reason in item["detail"] for item in json.loads(doctor.stdout)["diagnoses"]), doctor.stdout
    done = dwgate(broken, "review", "--format", "json", EXAMPLE / "node.sql")
    assert done.stderr == ""
    assert "ACME-C01" not in done.stdout


def test_ids_of_built_in_rules_are_reserved(site: Path, tmp_path: Path) -> None:
    source = (EXAMPLE / "acme_dwgate" / "rules.py").read_text().replace("ACME-C01", "MC-C01")
    doctor = dwgate(break_package(site, tmp_path, "rules.py", source), "doctor", "--json")
    assert any(
        "invalid rule id 'MC-C01'" in item["detail"] for item in json.loads(doctor.stdout)["diagnoses"]
    )


@pytest.mark.parametrize("body", ["raise SystemExit(1)", "return None", "yield 'text'", "yield 1 / 0"])
def test_a_check_that_fails_is_an_error_outcome(site: Path, tmp_path: Path, body: str) -> None:
    source = (EXAMPLE / "acme_dwgate" / "checks.py").read_text()
    head = source[: source.index("    file = context")]
    broken = break_package(site, tmp_path, "checks.py", f"{head}    {body}\n")
    done = dwgate(broken, "policy", "test", EXAMPLE / "cases.yaml")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "file-owner" in done.stdout


@pytest.mark.parametrize("body", ["raise SystemExit(1)", "return None", "yield 'text'", "yield 1 / 0"])
def test_a_rule_that_fails_is_reported_as_not_reviewed(site: Path, tmp_path: Path, body: str) -> None:
    source = (EXAMPLE / "acme_dwgate" / "rules.py").read_text()
    head = source[: source.index("    for statement in")]
    broken = break_package(site, tmp_path, "rules.py", f"{head}    {body}\n")
    done = dwgate(broken, "review", "--format", "json", EXAMPLE / "node.sql")
    found = json.loads(done.stdout)["files"][0]["findings"]
    assert any(item["rule"] == "MC-C19" and "ACME-C01" in item["message"] for item in found), done.stdout
