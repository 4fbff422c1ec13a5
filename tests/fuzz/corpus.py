"""The corpus: inputs of each target, as files in a folder per target, and failures that were found."""

from __future__ import annotations

import traceback
from pathlib import Path

from tests.fuzz.targets import more_seeds

FOLDER = Path(__file__).with_name("seeds")
_SHARED = "sql"
"""Folder of seeds for every target that reads SQL."""


def files_of(target: str) -> list[Path]:
    """Return the files of a target, sorted by name."""
    folders = [FOLDER / target]
    if target.startswith(("splitter-", "review-")):
        folders += [FOLDER / _SHARED, FOLDER / target.partition("-")[2]]
    return [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]


def seeds_of(target: str) -> list[bytes]:
    """Return the inputs that are mutated for a target."""
    return [*(path.read_bytes() for path in files_of(target)), *more_seeds(target)]


def failure_file(target: str, error: BaseException) -> Path:
    """Return the file for inputs that fail with `error`: one for each place of failure."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return FOLDER / target / f"failure-{type(error).__name__}-{Path(last.filename).stem}-{last.lineno}"


def save_failure(target: str, data: bytes, error: BaseException) -> None:
    """Write an input that failed to the corpus.

    It is run with the corpus from then on. Commit it with the fix.
    """
    file = failure_file(target, error)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
