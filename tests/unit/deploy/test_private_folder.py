"""The folder of `dwgate up --data` is closed to other users."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from deploy.local.private_folder import FolderShared, make_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_is_private(tmp_path: Path) -> None:
    make_private(tmp_path / "a" / "data")
    assert mode(tmp_path / "a" / "data") == 0o700


def test_an_empty_folder_becomes_private(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)
    make_private(folder)
    assert mode(folder) == 0o700


def test_the_folder_of_an_earlier_run_becomes_private_with_its_files(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch()
    outside.chmod(0o644)
    folder = tmp_path / "data"
    for part in ("logs", "valkey"):
        (folder / part).mkdir(parents=True)
    for name in (".env", "flower.db", "valkey/appendonly.aof"):
        (folder / name).touch()
        (folder / name).chmod(0o644)
    (folder / "link").symlink_to(outside)
    folder.chmod(0o755)
    make_private(folder)
    assert {mode(path) for path in (folder, folder / "logs", folder / "valkey")} == {0o700}
    assert {mode(folder / name) for name in (".env", "flower.db", "valkey/appendonly.aof")} == {0o600}
    assert mode(outside) == 0o644


def test_a_shared_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "notes").touch()
    with pytest.raises(FolderShared, match=f"{folder} is open to other users"):
        make_private(folder)
    assert mode(folder) == 0o755
    folder.chmod(0o700)
    make_private(folder)
