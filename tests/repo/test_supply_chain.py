"""`make sbom` lists every locked package, and `make audit` never calls unknown dependencies clean."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"^([a-z0-9.-]+)(?:\[[a-z,]+\])?==([^ ;]+)", re.MULTILINE)


def test_the_sbom_lists_every_locked_package_with_its_hashes(tmp_path: Path) -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\nsbom:")[2].partition("\n\n")[0]
    command = recipe.partition("$(BIN)/")[2].replace("\\\n", " ").split()
    file = tmp_path / "sbom.json"
    command = [str(file) if word.startswith("dist/") else word for word in command]
    subprocess.run(
        [Path(sys.executable).parent / command[0], *command[1:]], cwd=ROOT, check=True, timeout=110
    )
    sbom = json.loads(file.read_text())
    assert sbom["bomFormat"] == "CycloneDX"
    assert sbom["metadata"]["component"]["name"] == "dwgate"
    listed = {(each["name"].lower(), each["version"]) for each in sbom["components"]}
    assert listed == set(PINNED.findall((ROOT / "requirements.lock").read_text()))
    assert all(each["externalReferences"][0]["hashes"] for each in sbom["components"])


@pytest.fixture
def audit(tmp_path: Path) -> object:
    """Run `.ci/audit` with a program that answers for the known release, and for the lock file."""

    def run(known: str, lock: int) -> subprocess.CompletedProcess[str]:
        tool = tmp_path / "pip-audit"
        tool.write_text(
            "#!/bin/sh\n"
            f'case "$*" in *requirements-dev.lock) echo looked up "$*"; exit {lock};; esac\n'
            f"cat \"$(echo \"$*\" | sed 's/.*-r //')\" | grep -q '^jinja2==' || exit 9\n"
            f"echo '{known}'; exit 1\n"
        )
        tool.chmod(0o755)
        return subprocess.run(
            [ROOT / ".ci" / "audit"],
            env={"PATH": "/usr/bin:/bin", "PIP_AUDIT": str(tool)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


KNOWN = '{"dependencies": [{"name": "jinja2", "vulns": [{"id": "PYSEC-1"}]}]}'
UNKNOWN = '{"dependencies": [{"name": "jinja2", "vulns": []}]}'


@pytest.mark.parametrize(
    "answer", [UNKNOWN, "", '{"dependencies": [{"name": "jinja2", "skip_reason": "?"}]}']
)
def test_without_advisory_data_the_audit_fails(audit: object, answer: str) -> None:
    assert callable(audit)
    done = audit(answer, 0)
    assert done.returncode == 3
    assert "no advisory data can be reached from here" in done.stderr
    assert "looked up" not in done.stdout


@pytest.mark.parametrize("status", [0, 1])
def test_with_advisory_data_the_audit_ends_as_the_tool_does(audit: object, status: int) -> None:
    assert callable(audit)
    done = audit(KNOWN, status)
    assert done.returncode == status
    assert "--strict" in done.stdout


IMAGE_FILES = (
    ".ci/images",
    "docker-compose.yml",
    "deploy/compose/prometheus.yml",
    "deploy/compose/proxy.yml",
    "deploy/Dockerfile",
)
DIGEST = "sha256:" + "0123456789abcdef" * 4


def test_pinned_images_keep_their_place_and_need_no_further_pin(tmp_path: Path) -> None:
    for name in IMAGE_FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\necho {DIGEST}\n")
    docker.chmod(0o755)

    def images(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [tmp_path / ".ci" / "images", command],
            env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )

    found = images("check")
    assert found.returncode == 1
    assert found.stderr.count("\n") == 8, found.stderr
    assert images("pin").returncode == 0
    assert images("check").returncode == 0
    for name in IMAGE_FILES[1:]:
        before = (ROOT / name).read_text()
        assert (tmp_path / name).read_text().replace(f"@{DIGEST}", "") == before
    assert f"redis:8.2-alpine@{DIGEST}}}" in (tmp_path / "docker-compose.yml").read_text()
