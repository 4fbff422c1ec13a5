"""Reads configuration files; a file that is too large is read only far enough to see that it is."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from common.config_files.errors import unreadable

MAX_BYTES = 1 << 20
"""Maximum size of a configuration file, in bytes."""


def read_config_file(path: Path, expected: str) -> bytes:
    """Return the content of a file, at most one byte more than `MAX_BYTES`.

    Args:
        path: the file.
        expected: the kind of file that is expected, for messages.

    Raises:
        ConfigError: it cannot be opened or read.
    """
    try:
        with path.open("rb") as file:
            return read_limited(file)
    except OSError as error:
        raise unreadable(path, error, expected) from None


def read_limited(file: BinaryIO) -> bytes:
    """Return the content of an open file, at most one byte more than `MAX_BYTES`."""
    return file.read(MAX_BYTES + 1)
