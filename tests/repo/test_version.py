"""`pyproject.toml` is the one source of the version: all else derives from it, or is held against it."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

from common.processes.version import running_version

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
TAG = re.compile(r"\bdwgate:(?:\$\{DWGATE_VERSION:-)?(\d+\.\d+\.\d+)")
"""The tag of the image, in documentation, in Compose files and in manifests."""
APP_VERSION = re.compile(r"^appVersion: \"?([^\"\n]+)", re.MULTILINE)
"""Of a Helm chart."""
PACKAGES = ("common", "console", "deploy", "dwgate", "emulator", "ingest", "review", "workers")


def tracked(*patterns: str) -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / name for name in names.split("\0") if name]


def test_the_installed_version_is_that_of_the_project() -> None:
    assert running_version() == VERSION, "run make setup again"


def test_the_image_has_the_tag_of_the_version_wherever_it_is_named() -> None:
    named = {
        str(path.relative_to(ROOT)): TAG.findall(path.read_text())
        for path in tracked("*.md", "*.yml", "*.yaml")
    }
    found = {name: set(tags) for name, tags in named.items() if tags}
    assert "docker-compose.yml" in found
    assert {name for name, tags in found.items() if tags != {VERSION}} == set()


def test_a_chart_installs_the_version() -> None:
    charts = [path.read_text() for path in tracked("deploy/*Chart.yaml")]
    assert {version for text in charts for version in APP_VERSION.findall(text)} <= {VERSION}


def test_no_code_contains_the_version() -> None:
    """It would be wrong after the next release: `common.processes.version` has it."""
    quoted = re.compile(rf"[\"'/ ]{re.escape(VERSION)}[\"' ]")
    code = [path for path in tracked(*PACKAGES) if path.suffix == ".py"]
    assert code
    assert [str(path.relative_to(ROOT)) for path in code if quoted.search(path.read_text())] == []


def test_the_change_log_has_a_section_of_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"^## \[{re.escape(VERSION)}\]", text, re.MULTILINE)
