"""Settings from the DataWorks console: cached, and never a reason to wait or fail."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import redis

from common import clock
from tests.support.running_dwgate import wait_for
from workers.dataworks.client import DataWorks
from workers.dataworks.errors import AccessDenied, Unreachable
from workers.extension_options import source
from workers.extension_options.source import EMPTY, ExtensionSettingsSource


@dataclass
class Registered:
    """An extension as DataWorks has it."""

    parameters: str


@dataclass
class FarSide:
    """A DataWorks client that returns settings, or fails with `fault`."""

    parameters: str = ""
    options: str | None = None
    fault: Exception | None = None
    calls: list[str] = field(default_factory=list)
    untils: list[float] = field(default_factory=list)

    def extension(self, *, deadline: float) -> Registered:
        """Return the response of GetExtension."""
        return Registered(cast("str", self._answer("extension", deadline, self.parameters)))

    def option_value(self, project_id: int, *, deadline: float) -> str | None:
        """Return the response of GetOptionValueForProject."""
        return self._answer(f"options {project_id}", deadline, self.options)

    def _answer(self, what: str, deadline: float, answer: str | None) -> str | None:
        self.calls.append(what)
        self.untils.append(deadline)
        if self.fault:
            raise self.fault
        return answer


class Memory:
    """An in-memory store of the last known responses."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def get(self, operation: str, arguments: Mapping[str, str | int]) -> Any:
        """Return what was put, or None."""
        return self.kept.get(f"{operation} {arguments}")

    def put(self, operation: str, arguments: Mapping[str, str | int], value: Any) -> None:
        """Store a value."""
        self.kept[f"{operation} {arguments}"] = value


def asking(dataworks: FarSide, memory: Memory | None = None) -> ExtensionSettingsSource:
    """Return a source that fetches from `dataworks`."""
    return ExtensionSettingsSource(lambda: cast("DataWorks", dataworks), memory or Memory())


def test_responses_are_cached() -> None:
    dataworks = FarSide("extension.project.disabled=7", '{"a": 1}')
    asked = asking(dataworks)
    for _ in range(3):
        found = asked.for_workspace(7, options=True)
        assert found.options == '{"a": 1}'
        assert found.parameters.disabled_reason("commit-file", 7, None)
    assert dataworks.calls == ["extension", "options 7"]
    asked.for_workspace(8, options=True)
    assert dataworks.calls[2:] == ["options 8"]


def test_options_are_fetched_only_where_they_can_apply() -> None:
    dataworks = FarSide()
    asked = asking(dataworks)
    assert asked.for_workspace(7, options=False) == asked.for_workspace(None, options=True) == EMPTY
    assert dataworks.calls == ["extension"]


def test_no_call_may_take_longer_than_a_second() -> None:
    dataworks = FarSide()
    begun = clock.now()
    asking(dataworks).for_workspace(7, options=True)
    assert all(until <= clock.now() + 1 for until in dataworks.untils)
    assert dataworks.untils[0] == dataworks.untils[1] >= begun + 1


FAULTS = [
    Unreachable("GetExtension", "Down"),
    AccessDenied("GetExtension", "Forbidden"),
    redis.ConnectionError(),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_fault_keeps_the_last_known_settings(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "KEEP_SECONDS", 0.0)
    monkeypatch.setattr(source, "STALE_SECONDS", 0.0)
    dataworks = FarSide("extension.project.disabled=7", "{}")
    asked = asking(dataworks)
    before = asked.for_workspace(7, options=True)
    dataworks.fault, dataworks.calls = fault, []
    assert asked.for_workspace(7, options=True) == before
    assert asked.for_workspace(7, options=True) == before
    assert dataworks.calls == ["extension", "options 7"]  # no immediate retry


def test_without_known_settings_a_fault_leaves_only_the_policy() -> None:
    assert asking(FarSide(fault=FAULTS[0])).for_workspace(7, options=True) == EMPTY


def test_a_process_that_starts_during_a_fault_uses_the_shared_store() -> None:
    memory = Memory()
    before = asking(FarSide("extension.project.disabled=7", '{"a": 1}'), memory).for_workspace(
        7, options=True
    )
    assert asking(FarSide(fault=FAULTS[0]), memory).for_workspace(7, options=True) == before


def test_a_change_is_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "KEEP_SECONDS", 0.0)
    monkeypatch.setattr(source, "STALE_SECONDS", 0.0)
    dataworks = FarSide("extension.project.disabled=7", '{"a": 1}')
    asked = asking(dataworks)
    asked.for_workspace(7, options=True)
    dataworks.parameters, dataworks.options = "", None
    assert asked.for_workspace(7, options=True) == EMPTY


def test_an_expired_value_is_used_while_a_new_one_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "KEEP_SECONDS", 0.0)
    dataworks = FarSide("extension.project.disabled=7")
    asked = asking(dataworks)
    before = asked.for_workspace(7, options=False)
    go = threading.Event()

    def slow(*, deadline: float) -> Registered:
        assert deadline
        assert go.wait(10)
        return Registered("")

    monkeypatch.setattr(dataworks, "extension", slow)
    assert asked.for_workspace(7, options=False) == before
    go.set()
    assert wait_for(lambda: asked.for_workspace(7, options=False) == EMPTY)


def test_a_thread_with_a_cached_value_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "KEEP_SECONDS", 0.0)
    dataworks = FarSide("extension.project.disabled=7")
    asked = asking(dataworks)
    before = asked.for_workspace(7, options=False)
    begun, go = threading.Event(), threading.Event()

    def slow(*, deadline: float) -> Registered:
        dataworks.untils.append(deadline)
        begun.set()
        assert go.wait(10)
        return Registered("")

    monkeypatch.setattr(dataworks, "extension", slow)
    other = threading.Thread(target=lambda: asked.for_workspace(7, options=False))
    other.start()
    assert begun.wait(10)
    assert asked.for_workspace(7, options=False) == before
    go.set()
    other.join(10)
