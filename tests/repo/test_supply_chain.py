"""`make sbom` lists every locked package, and `make audit` never calls unknown dependencies clean."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from common.processes.version import running_version

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
    component = sbom["metadata"]["component"]
    assert (component["name"], component["version"]) == ("dwgate", running_version())
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
    ".ci/image",
    "docker-compose.yml",
    "deploy/compose/prometheus.yml",
    "deploy/compose/proxy.yml",
    "deploy/Dockerfile",
)
DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with the files that name images, and with a docker that prints a digest and its arguments."""
    for name in IMAGE_FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\necho {DIGEST}\nprintf "%s\\n" "$@" >arguments\n')
    docker.chmod(0o755)
    return tmp_path


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in `folder`, with its docker, and an identity for git."""
    identity = {
        f"GIT_{who}_{what}": "made-up" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    return subprocess.run(
        command,
        cwd=folder,
        env={"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder), **identity},
        capture_output=True,
        text=True,
        check=False,
    )


def test_pinned_images_keep_their_place_and_need_no_further_pin(copy: Path) -> None:
    found = run(copy, ".ci/images", "check")
    assert found.returncode == 1
    assert found.stderr.count("\n") == 9, found.stderr
    assert run(copy, ".ci/images", "pin").returncode == 0
    assert run(copy, ".ci/images", "check").returncode == 0
    for name in IMAGE_FILES[1:]:
        before = (ROOT / name).read_text()
        assert (copy / name).read_text().replace(f"@{DIGEST}", "") == before
    assert f"redis:8.2-alpine@{DIGEST}}}" in (copy / "docker-compose.yml").read_text()


def test_an_image_is_built_of_a_commit_with_digests_only_and_has_labels_and_attestations(copy: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", copy)
    (copy / ".gitignore").write_text("arguments\ndist/\n")

    def commit() -> str:
        for command in ("init --quiet", "add --all", "commit --quiet --message=made-up"):
            assert run(copy, "git", *command.split()).returncode == 0
        return run(copy, "git", "rev-parse", "HEAD").stdout.strip()

    commit()
    refused = run(copy, ".ci/image")
    assert (refused.returncode, "images without a digest" in refused.stderr) == (1, True)
    run(copy, ".ci/images", "pin")
    refused = run(copy, ".ci/image")
    assert (refused.returncode, "commit your changes first" in refused.stderr) == (1, True)
    revision = commit()

    done = run(copy, ".ci/image")
    assert done.returncode == 0, done.stderr
    arguments = (copy / "arguments").read_text().splitlines()
    version = running_version()
    assert {f"VERSION={version}", f"REVISION={revision}", "type=provenance,mode=max"} <= {*arguments}
    assert f"type=sbom,generator=docker/buildkit-syft-scanner:stable-1@{DIGEST}" in arguments
    assert f"type=oci,dest=dist/dwgate-{version}.oci.tar" in arguments
    assert "--push" not in arguments
    assert run(copy, ".ci/image", "registry.example.com/dwgate").returncode == 0
    arguments = (copy / "arguments").read_text().splitlines()
    assert {f"registry.example.com/dwgate:{version}", "--push"} <= {*arguments}
