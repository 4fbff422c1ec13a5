"""A lock on the folder of a local installation: two would overwrite each other's settings and data."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.errors import DwgateError

NAME = ".lock"


class FolderInUse(DwgateError):
    """Another installation runs with this folder."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of an existing folder; it ends with the process, however that ends.

    Raises:
        FolderInUse: another process holds it.
    """
    with (folder / NAME).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUse(f"{folder} is in use by another dwgate up; expected another folder") from None
        yield
