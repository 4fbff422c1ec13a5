"""A release, built from the files of this checkout, and environments of Python in which it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILD_SECONDS = 110
INSTALL_SECONDS = 600
_WAIT_SECONDS = "100"
"""For each connection of pip: an index may be slow."""


@dataclass(frozen=True, slots=True)
class Release:
    """What `make dist` builds.

    Attributes:
        wheel: the wheel.
        sdist: the source distribution.
        epoch: the time in both, in seconds since the epoch.
    """

    wheel: Path
    sdist: Path
    epoch: str


def build_release(folder: Path) -> Release:
    """Build a release of the files that git tracks."""
    epoch = _output("git", "log", "-1", "--format=%ct", cwd=ROOT)
    environment = {**os.environ, "PYTHON": sys.executable, "SOURCE_DATE_EPOCH": epoch}
    _output(".ci/dist", str(folder), cwd=ROOT, env=environment)
    [wheel], [sdist] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Release(wheel, sdist, epoch)


def tracked_files(*folders: str) -> set[str]:
    """Return the paths of the files that git tracks, in all or in some top-level folders."""
    return set(_output("git", "ls-files", "-z", *folders, cwd=ROOT).split("\0")) - {""}


def build_wheel_of_sdist(release: Release, folder: Path) -> Path:
    """Build the wheel from the source distribution by pip, as a packager would; return its path."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": release.epoch}
    _output(
        *command,
        "--no-build-isolation",
        f"--wheel-dir={folder}",
        str(release.sdist),
        cwd=folder,
        env=environment,
    )
    [wheel] = folder.glob("*.whl")
    return wheel


class Installation:
    """An environment of Python, outside the tree, in which a wheel is installed.

    Args:
        folder: where it is made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = folder / "bin" / "dwgate"
        """The command."""
        # It is the interpreter of the tests, but without what is installed for them.
        _output(sys.executable, "-m", "venv", "--without-pip", str(folder), cwd=folder.parent)

    def add_dependencies_of_tests(self) -> None:
        """Let it import what is installed for the tests, but not the checkout of dwgate."""
        site = sysconfig.get_path("purelib", vars={"base": str(self.folder)})
        (Path(site) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def install_locked_dependencies(self) -> None:
        """Install the locked dependencies with their hashes, as `docs/release.md` says."""
        locks = ROOT / "requirements-build.lock", ROOT / "requirements.lock"
        for lock in locks:
            self._pip("--require-hashes", "--no-build-isolation", f"--requirement={lock}")

    def install(self, wheel: Path) -> None:
        """Install a wheel."""
        self._pip("--no-deps", "--no-index", str(wheel))

    def run(self, *arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run `dwgate` in an empty folder and with an environment that names nothing of the checkout."""
        return self.call(str(self.program), *arguments, seconds=seconds)

    def call(self, *command: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command, like `run`."""
        empty = self.folder / "empty"
        empty.mkdir(exist_ok=True)
        return subprocess.run(
            command,
            cwd=empty,
            env={"PATH": "/usr/bin:/bin", "TMPDIR": str(empty)},
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )

    def _pip(self, *arguments: str) -> None:
        pip = [sys.executable, "-m", "pip", f"--python={self.folder / 'bin' / 'python'}"]
        options = ["--quiet", "--disable-pip-version-check", f"--timeout={_WAIT_SECONDS}"]
        _output(*pip, "install", *options, *arguments, cwd=self.folder, seconds=INSTALL_SECONDS)


def _output(
    *command: str, cwd: Path, env: dict[str, str] | None = None, seconds: float = BUILD_SECONDS
) -> str:
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=seconds, umask=0o022
    )
    took = f"{time.monotonic() - started:.0f} s"
    assert done.returncode == 0, f"{command[:4]} after {took}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout.strip()
