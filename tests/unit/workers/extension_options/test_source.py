"""What was set in the DataWorks console: kept for a while, and never a reason to wait or to fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import redis

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
    """A DataWorks that answers, or fails with `fault`."""

    parameters: str = ""
    options: str | None = None
    fault: Exception | None = None
    calls: list[str] = field(default_factory=list)
    untils: list[float] = field(default_factory=list)

    def extension(self, *, deadline: float) -> Registered:
        """Answer GetExtension."""
        return Registered(cast("str", self._answer("extension", deadline, self.parameters)))

    def option_value(self, project_id: int, *, deadline: float) -> str | None:
        """Answer GetOptionValueForProject."""
        return self._answer(f"options {project_id}", deadline, self.options)

    def _answer(self, what: str, deadline: float, answer: str | None) -> str | None:
        self.calls.append(what)
        self.untils.append(deadline)
        if self.fault:
            raise self.fault
        return answer


class Memory:
    """Answers that the fleet remembers."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def get(self, operation: str, arguments: Mapping[str, str | int]) -> Any:
        """Return what was put, or None."""
        return self.kept.get(f"{operation} {arguments}")

    def put(self, operation: str, arguments: Mapping[str, str | int], value: Any) -> None:
        """Keep a value."""
        self.kept[f"{operation} {arguments}"] = value


def asking(far_side: FarSide, memory: Memory | None = None) -> ExtensionSettingsSource:
    """Return what asks `far_side`."""
    return ExtensionSettingsSource(lambda: cast("DataWorks", far_side), memory or Memory())


def test_it_is_asked_once_in_a_while() -> None:
    far_side = FarSide("extension.project.disabled=7", '{"a": 1}')
    asked = asking(far_side)
    for _ in range(3):
        found = asked.for_workspace(7, options=True)
        assert found.options == '{"a": 1}'
        assert found.parameters.disabled_reason("commit-file", 7, None)
    assert far_side.calls == ["extension", "options 7"]
    asked.for_workspace(8, options=True)
    assert far_side.calls[2:] == ["options 8"]


def test_options_are_asked_for_only_where_they_can_count() -> None:
    far_side = FarSide()
    asked = asking(far_side)
    assert asked.for_workspace(7, options=False) == asked.for_workspace(None, options=True) == EMPTY
    assert far_side.calls == ["extension"]


def test_no_call_may_take_longer_than_a_second() -> None:
    far_side = FarSide()
    begun = time.time()
    asking(far_side).for_workspace(7, options=True)
    assert all(until <= time.time() + 1 for until in far_side.untils)
    assert far_side.untils[0] == far_side.untils[1] >= begun + 1


FAULTS = [
    Unreachable("GetExtension", "Down"),
    AccessDenied("GetExtension", "Forbidden"),
    redis.ConnectionError(),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_fault_leaves_the_last_known(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "KEEP_SECONDS", 0.0)
    far_side = FarSide("extension.project.disabled=7", "{}")
    asked = asking(far_side)
    before = asked.for_workspace(7, options=True)
    far_side.fault, far_side.calls = fault, []
    assert asked.for_workspace(7, options=True) == before
    assert asked.for_workspace(7, options=True) == before
    assert far_side.calls == ["extension", "options 7"]  # not asked again at once


def test_a_fault_from_the_start_leaves_the_policy_alone() -> None:
    assert asking(FarSide(fault=FAULTS[0])).for_workspace(7, options=True) == EMPTY


def test_a_process_that_begins_in_a_fault_goes_on_with_what_the_fleet_knows() -> None:
    memory = Memory()
    before = asking(FarSide("extension.project.disabled=7", '{"a": 1}'), memory).for_workspace(
        7, options=True
    )
    assert asking(FarSide(fault=FAULTS[0]), memory).for_workspace(7, options=True) == before


def test_a_change_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "KEEP_SECONDS", 0.0)
    far_side = FarSide("extension.project.disabled=7", '{"a": 1}')
    asked = asking(far_side)
    asked.for_workspace(7, options=True)
    far_side.parameters, far_side.options = "", None
    assert asked.for_workspace(7, options=True) == EMPTY


def test_who_has_something_to_go_on_with_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "KEEP_SECONDS", 0.0)
    far_side = FarSide("extension.project.disabled=7")
    asked = asking(far_side)
    before = asked.for_workspace(7, options=False)
    begun, go = threading.Event(), threading.Event()

    def slow(*, deadline: float) -> Registered:
        far_side.untils.append(deadline)
        begun.set()
        assert go.wait(10)
        return Registered("")

    monkeypatch.setattr(far_side, "extension", slow)
    other = threading.Thread(target=lambda: asked.for_workspace(7, options=False))
    other.start()
    assert begun.wait(10)
    assert asked.for_workspace(7, options=False) == before
    go.set()
    other.join(10)
