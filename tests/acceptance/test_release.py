"""A release works outside the tree: what `make dist` builds, installed into an environment of its own."""

from __future__ import annotations

import json
import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.processes.version import running_version
from emulator.samples import load_samples
from tests.support.console_process import ConsoleProcess, console_environment
from tests.support.release import (
    ROOT,
    Installation,
    Release,
    build_release,
    build_wheel_of_sdist,
    tracked_files,
)

PACKAGES = ("common", "console", "deploy", "dwgate", "emulator", "ingest", "review", "workers")
FOR_OPERATORS = (
    "deploy/Dockerfile",
    "deploy/compose/",
    "deploy/kubernetes/",
    "deploy/observability/",
    "deploy/terraform/",
)
"""Files beside the program, which the source distribution has, and the wheel has not."""
GENERATED = re.compile(r"PKG-INFO|setup\.cfg|dwgate\.egg-info/.*")
"""Files that the build backend adds to a source distribution."""
NODE = ROOT / "examples" / "acme-plugin" / "node.sql"
DEMO_SECONDS = 100


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return build_release(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def installed(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    installation = Installation(tmp_path_factory.mktemp("installed") / "venv")
    installation.add_dependencies_of_tests()
    installation.install(release.wheel)
    return installation


@pytest.fixture
def console(installed: Installation, clean_redis_url: str, tmp_path: Path) -> Iterator[ConsoleProcess]:
    environment = console_environment(clean_redis_url)
    del environment["PYTHONPATH"]
    process = ConsoleProcess(tmp_path, environment, program=installed.program)
    yield process
    process.close()


def test_the_wheel_has_every_file_of_the_packages_and_nothing_else(release: Release) -> None:
    with zipfile.ZipFile(release.wheel) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == {name for name in tracked_files(*PACKAGES) if not name.startswith(FOR_OPERATORS)}


def test_the_source_distribution_has_every_file(release: Release) -> None:
    with tarfile.open(release.sdist) as sdist:
        names = {item.name.partition("/")[2] for item in sdist if not item.isdir()}
    assert {name for name in names if not GENERATED.fullmatch(name)} == tracked_files()


@pytest.mark.faults
def test_the_build_is_reproducible_also_from_the_source_distribution(
    release: Release, tmp_path: Path
) -> None:
    again = build_release(tmp_path / "again")
    assert again.sdist.read_bytes() == release.sdist.read_bytes()
    assert again.wheel.read_bytes() == release.wheel.read_bytes()
    (tmp_path / "by-pip").mkdir()
    by_pip = build_wheel_of_sdist(release, tmp_path / "by-pip")
    assert by_pip.name == release.wheel.name
    assert by_pip.read_bytes() == release.wheel.read_bytes()


def test_the_program_is_that_of_the_wheel_and_names_its_version(
    installed: Installation, release: Release
) -> None:
    code = "import common, console, dwgate; print(common.__file__, console.__file__, dwgate.__file__)"
    places = installed.call(str(installed.folder / "bin" / "python"), "-c", code).stdout.split()
    assert len(places) == 3
    assert all(place.startswith(str(installed.folder)) for place in places), places
    assert installed.run("--version").stdout == f"dwgate {running_version()}\n"
    assert release.wheel.name.startswith(f"dwgate-{running_version()}-")


def test_the_installed_program_reviews_code(installed: Installation) -> None:
    node = installed.folder / "node.sql"
    node.write_text("DELETE FROM dwd_order;\n")
    done = installed.run("review", "--format", "json", str(node))
    assert done.returncode == 1, done.stderr
    assert {finding["rule"] for finding in json.loads(done.stdout)["files"][0]["findings"]} >= {"MC-C14"}
    assert installed.run("review", str(NODE)).returncode in (0, 1)
    assert "缺少 WHERE" in installed.run("rules", "MC-C14", "--language", "zh").stdout


def test_the_installed_console_serves_its_pages_and_assets(console: ConsoleProcess) -> None:
    with console.browser() as browser:
        page = browser.get("/events", follow_redirects=True)  # the page to log in
        assert page.status_code == 200
        assets = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
        assert len(assets) >= 3, page.text
        assert all(browser.get(asset).status_code == 200 for asset in assets)


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_a_wheel_with_locked_dependencies_runs_the_demo_in_an_empty_environment(
    release: Release, tmp_path: Path
) -> None:
    """It downloads the dependencies, which takes a minute: CI runs it by itself."""
    installation = Installation(tmp_path / "venv")
    installation.install_locked_dependencies()
    installation.install(release.wheel)
    demo = installation.run("demo", seconds=DEMO_SECONDS)
    assert (demo.returncode, demo.stderr) == (0, ""), demo.stdout + demo.stderr
    samples = len(load_samples())
    assert f"{samples} verdicts for {samples} operations, {samples} correct" in demo.stdout
    assert installation.run("--version").stdout == f"dwgate {running_version()}\n"
    assert installation.run("review", str(NODE)).returncode in (0, 1)
