"""The folder of a local installation: closed to other users, since it contains node code and keys."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from common.errors import DwgateError

PRIVATE_UMASK = 0o077
_MARKS = (".env", "valkey", "logs")
"""What an earlier run left in its folder."""


class FolderShared(DwgateError):
    """The folder is open to other users and contains files that are not dwgate's."""


def make_private(folder: Path) -> None:
    """Create `folder` with mode 0700, or set this mode and 0600 in one that is empty or from an earlier run.

    Modes of a folder with other files are not changed: it may be a shared one, such as the home of a project.

    Raises:
        FolderShared: another user may enter such a folder.
        OSError: the folder cannot be created, or belongs to another user.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not stat.S_IMODE(folder.stat().st_mode) & PRIVATE_UMASK:
        return
    if any(folder.iterdir()) and not all((folder / mark).exists() for mark in _MARKS):
        raise FolderShared(
            f"{folder} is open to other users and contains other files;"
            " expected a new folder, or one with mode 0700"
        )
    folder.chmod(0o700)
    for parent, _, names in os.walk(folder):  # does not follow links
        Path(parent).chmod(0o700)
        for name in names:
            file = Path(parent, name)
            if not file.is_symlink():
                file.chmod(0o600)
