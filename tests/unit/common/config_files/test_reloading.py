"""Reloading of a changed file: a valid one is loaded; for an invalid one the last good value is kept."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from common.config_files.errors import ConfigError, Problem
from common.config_files.reloading import ReloadableFile
from workers import metrics


def number(name: str, content: bytes) -> int:
    """Return the number in a file."""
    try:
        return int(content)
    except ValueError:
        raise ConfigError((Problem(name, "expected a number"),)) from None


def write(path: Path, text: str, age: float = 60) -> None:
    """Write a file with a modification time `age` seconds ago."""
    path.write_text(text)
    os.utime(path, (time.time() - age,) * 2)


def report(path: Path) -> Callable[[bool], None]:
    """Return the function that sets the metrics of a file."""
    return partial(metrics.report_config_file, path.stem)


def reloaded(path: Path, every: float = 0) -> ReloadableFile[int]:
    """Return a `ReloadableFile` with a number, checked at each use by default."""
    return ReloadableFile(path, number, name=path.stem, report=report(path), every=every)


def metric(name: str, path: Path) -> float | None:
    """Return a metric of a file."""
    return REGISTRY.get_sample_value(name, {"file": path.stem})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / f"{tmp_path.name}.txt"
    write(file, "1")
    return file


def test_a_change_is_loaded(path: Path) -> None:
    held = reloaded(path)
    assert held.value == 1
    write(path, "2")
    with capture_logs() as logs:
        assert (held.value, held.value) == (2, 2)
    assert [line["event"] for line in logs] == ["config_file_reloaded"]


def test_the_same_size_and_time_does_not_hide_a_change(path: Path) -> None:
    held = reloaded(path)
    before = path.stat()
    path.write_text("7")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert held.value == 7


def test_it_is_not_checked_at_every_use(path: Path) -> None:
    held = reloaded(path, every=3600)
    write(path, "2")
    assert held.value == 1


def test_a_file_that_is_being_written_is_read_at_a_later_check(path: Path) -> None:
    held = reloaded(path)
    write(path, "2", age=0)
    assert held.value == 1
    write(path, "25")
    assert held.value == 25


def test_a_clock_that_is_ahead_does_not_delay_a_change(path: Path) -> None:
    held = reloaded(path)
    write(path, "2", age=-3600)
    assert held.value == 2


def test_an_invalid_file_is_reported_once_and_the_last_good_value_is_kept(path: Path) -> None:
    held = reloaded(path)
    loaded_at = metric("dwgate_policy_loaded_timestamp_seconds", path)
    write(path, "two")
    with capture_logs() as logs:
        assert (held.value, held.value) == (1, 1)
    assert [(line["event"], line["log_level"], line["reason"]) for line in logs] == [
        ("config_file_invalid", "error", f"{path}: expected a number")
    ]
    assert metric("dwgate_config_file_invalid", path) == 1
    assert metric("dwgate_policy_loaded_timestamp_seconds", path) == loaded_at

    write(path, "1")
    assert held.value == 1
    assert metric("dwgate_config_file_invalid", path) == 0
    write(path, "3")
    assert held.value == 3


def test_a_deleted_file_is_reported_and_loaded_when_it_exists_again(path: Path) -> None:
    held = reloaded(path)
    path.unlink()
    with capture_logs() as logs:
        assert (held.value, held.value) == (1, 1)
    expected = f"{path}: cannot be read: No such file or directory; expected the {path.stem} file"
    assert [line["reason"] for line in logs] == [expected]
    write(path, "2")
    assert held.value == 2


def test_an_exception_of_the_loader_keeps_the_last_good_value(path: Path) -> None:
    def fragile(name: str, content: bytes) -> int:
        return 1 // number(name, content)

    held = ReloadableFile(path, fragile, name=path.stem, report=report(path), every=0)
    write(path, "0")
    with capture_logs() as logs:
        assert held.value == 1
    assert [line["reason"] for line in logs] == ["ZeroDivisionError"]


def test_a_file_replaced_by_rename_is_loaded_at_once(path: Path) -> None:
    held = reloaded(path)
    new = path.with_suffix(".new")
    write(new, "2")
    new.replace(path)
    assert held.value == 2


def test_a_configmap_that_changes_its_link_is_loaded(tmp_path: Path) -> None:
    for version in ("1", "2"):
        (tmp_path / f"..{version}").mkdir()
        write(tmp_path / f"..{version}" / "policy.txt", version)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "policy.txt").symlink_to("..data/policy.txt")
    held = reloaded(tmp_path / "policy.txt")
    (tmp_path / "..new").symlink_to("..2")
    (tmp_path / "..new").replace(tmp_path / "..data")
    assert held.value == 2


@pytest.mark.parametrize("text", ["x", None])
def test_a_file_that_is_invalid_from_the_start_is_an_error(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
    else:
        write(path, text)
    with pytest.raises(ConfigError):
        reloaded(path)


class Memory:
    """The store of the last good content, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def get(self, operation: str, arguments: Mapping[str, str | int]) -> Any:
        """Return the stored value; None if missing."""
        return self.kept.get(f"{operation} {arguments}")

    def put(self, operation: str, arguments: Mapping[str, str | int], value: Any) -> None:
        """Store a value."""
        self.kept[f"{operation} {arguments}"] = value


def with_store(path: Path, memory: Memory) -> ReloadableFile[int]:
    """Return a `ReloadableFile` with a number, and a store of the last good content."""
    return ReloadableFile(
        path,
        number,
        name=path.stem,
        report=report(path),
        last_good_store=memory,
        every=0,
    )


@pytest.mark.parametrize("text", ["x", None])
def test_a_process_that_starts_while_it_is_invalid_uses_the_last_good_value(
    path: Path, text: str | None
) -> None:
    memory = Memory()
    held = with_store(path, memory)
    write(path, "2")
    assert held.value == 2
    if text is None:
        path.unlink()
    else:
        write(path, text)
    with capture_logs() as logs:
        later = with_store(path, memory)
        assert later.value == 2
    assert {line["event"] for line in logs} == {"config_file_invalid"}
    assert metric("dwgate_config_file_invalid", path) == 1
    write(path, "3")
    assert later.value == 3
    assert metric("dwgate_config_file_invalid", path) == 0


def test_the_stored_content_must_be_valid_too(path: Path) -> None:
    memory = Memory()
    with_store(path, memory)
    memory.kept = dict.fromkeys(memory.kept, "no number")
    write(path, "x")
    with pytest.raises(ConfigError):
        with_store(path, memory)


def test_one_thread_checks_and_the_others_are_not_blocked(path: Path) -> None:
    started, go = threading.Event(), threading.Event()
    loads: list[bytes] = []

    def slow(name: str, content: bytes) -> int:
        loads.append(content)
        if len(loads) > 1:
            started.set()
            assert go.wait(10)
        return number(name, content)

    held = ReloadableFile(path, slow, name=path.stem, report=report(path), every=0)
    write(path, "2")
    looker = threading.Thread(target=lambda: held.value)
    looker.start()
    assert started.wait(10)
    assert held.value == 1
    go.set()
    looker.join(10)
    assert held.value == 2
    assert loads == [b"1", b"2"]
