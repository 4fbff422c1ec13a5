"""Where the extension is enabled: "enabled" is remembered, "not enabled" never hides a later event."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import redis

from common import clock
from tests.support.running_dwgate import wait_for
from workers.dataworks.client import DataWorks
from workers.dataworks.errors import AccessDenied, Unreachable
from workers.dataworks.models import Extension
from workers.extension_options import enabled_workspaces
from workers.extension_options.enabled_workspaces import EnabledWorkspaces

CODE = "commit-file"


@dataclass
class FarSide:
    """A DataWorks client that knows where the extension is enabled, or fails with `fault`."""

    projects: set[int] = field(default_factory=set)
    test_project_id: int | None = None
    fault: Exception | None = None
    calls: list[int] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def enabled_extensions(self, event_code: str, project_id: int, *, deadline: float) -> bool:
        assert event_code == CODE
        assert deadline > clock.now()
        self.calls.append(project_id)
        assert self.gate.wait(20)
        if self.fault:
            raise self.fault
        return project_id in self.projects

    def extension(self, *, deadline: float) -> Extension:
        assert deadline
        return Extension(0, "", test_project_id=self.test_project_id)


class Memory:
    """The fleet's store, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def get(self, operation: str, arguments: Mapping[str, str | int]) -> Any:
        return self.kept.get(f"{operation} {arguments}")

    def put(self, operation: str, arguments: Mapping[str, str | int], value: Any) -> None:
        self.kept[f"{operation} {arguments}"] = value


def asking(dataworks: FarSide, memory: Memory | None = None) -> EnabledWorkspaces:
    return EnabledWorkspaces(lambda: cast("DataWorks", dataworks), memory or Memory())


def test_enabled_is_remembered_by_the_process_and_the_fleet() -> None:
    dataworks, memory = FarSide({7}), Memory()
    for process in (asking(dataworks, memory), asking(dataworks, memory)):
        for _ in range(3):
            assert process.is_enabled(CODE, 7, known_since=clock.now())
    assert dataworks.calls == [7]


def test_enabled_is_asked_again_when_both_have_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    dataworks, memory = FarSide({7}), Memory()
    process = asking(dataworks, memory)
    assert process.is_enabled(CODE, 7, known_since=clock.now())
    memory.kept.clear()
    dataworks.projects.clear()
    later = time.monotonic() + enabled_workspaces.KEEP_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert not process.is_enabled(CODE, 7, known_since=clock.now())


def asked_long_ago(memory: Memory) -> None:
    """Let the answers that the fleet remembers be older than ENABLED_SECONDS."""
    for key, asked_at in memory.kept.items():
        memory.kept[key] = asked_at - enabled_workspaces.ENABLED_SECONDS - 1


def test_no_event_waits_when_a_remembered_answer_is_fetched_again() -> None:
    dataworks, memory = FarSide({7}), Memory()
    assert asking(dataworks, memory).is_enabled(CODE, 7, known_since=clock.now())
    asked_long_ago(memory)
    [before] = memory.kept.values()
    dataworks.gate.clear()  # DataWorks does not answer yet
    process = asking(dataworks, memory)
    for _ in range(3):
        assert process.is_enabled(CODE, 7, known_since=clock.now())
    dataworks.gate.set()
    wait_for(lambda: [*memory.kept.values()] != [before])
    assert dataworks.calls == [7, 7]
    assert asking(dataworks, memory).is_enabled(CODE, 7, known_since=clock.now())
    assert dataworks.calls == [7, 7], "it is new again"


def test_a_remembered_answer_that_is_no_longer_true_ends() -> None:
    dataworks, memory = FarSide({7}), Memory()
    assert asking(dataworks, memory).is_enabled(CODE, 7, known_since=clock.now())
    asked_long_ago(memory)
    dataworks.projects.clear()
    process = asking(dataworks, memory)
    assert process.is_enabled(CODE, 7, known_since=clock.now()), "at worst one is judged needlessly"
    wait_for(lambda: not process.is_enabled(CODE, 7, known_since=clock.now()))
    assert not asking(dataworks, memory).is_enabled(CODE, 7, known_since=clock.now())


def test_a_fault_leaves_a_remembered_answer() -> None:
    dataworks, memory = FarSide({7}), Memory()
    assert asking(dataworks, memory).is_enabled(CODE, 7, known_since=clock.now())
    asked_long_ago(memory)
    dataworks.fault = Unreachable("ListEnabledExtensionsForProject", "Timeout")
    for number in range(2):
        assert asking(dataworks, memory).is_enabled(CODE, 7, known_since=clock.now())
        wait_for(lambda number=number: len(dataworks.calls) == number + 2)  # type: ignore[misc]


def test_what_an_earlier_version_remembered_is_asked_again() -> None:
    dataworks, memory = FarSide({7}), Memory()
    memory.put("enabled", {"event_code": CODE, "project_id": 7}, True)
    assert asking(dataworks, memory).is_enabled(CODE, 7, known_since=clock.now())
    wait_for(lambda: dataworks.calls == [7])


def test_not_enabled_holds_only_for_what_happened_before_it_was_asked() -> None:
    dataworks = FarSide()
    process = asking(dataworks)
    before = clock.now()
    for _ in range(3):
        assert not process.is_enabled(CODE, 7, known_since=before)
    assert dataworks.calls == [7]
    dataworks.projects.add(7)
    assert process.is_enabled(CODE, 7, known_since=clock.now() + 0.001)
    assert dataworks.calls == [7, 7]


def test_one_query_serves_all_events_that_wait_for_it() -> None:
    dataworks = FarSide()
    dataworks.gate.clear()
    process, arrived = asking(dataworks), clock.now()
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(process.is_enabled, CODE, 7, known_since=arrived) for _ in range(8)]
        dataworks.gate.set()
        assert not all(answer.result() for answer in answers)
    assert dataworks.calls == [7]


@pytest.mark.parametrize(
    "fault",
    [
        Unreachable("ListEnabledExtensionsForProject", "Timeout"),
        AccessDenied("ListEnabledExtensionsForProject", "Forbidden"),
        redis.ConnectionError(),
    ],
)
def test_a_fault_counts_as_enabled_for_a_while(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    dataworks = FarSide(fault=fault)
    process = asking(dataworks)
    for _ in range(3):
        assert process.is_enabled(CODE, 7, known_since=clock.now())
    assert dataworks.calls == [7]
    dataworks.fault = None
    later = time.monotonic() + enabled_workspaces.RETRY_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert not process.is_enabled(CODE, 7, known_since=clock.now())


def test_the_test_workspace_counts_as_enabled() -> None:
    dataworks = FarSide(test_project_id=7)
    assert asking(dataworks).is_enabled(CODE, 7, known_since=clock.now())
    assert not asking(dataworks).is_enabled(CODE, 8, known_since=clock.now())


@pytest.mark.parametrize(("code", "project_id"), [(CODE, None), ("delete-project", 7)])
def test_the_tenant_level_is_not_enabled_per_workspace(code: str, project_id: int | None) -> None:
    dataworks = FarSide()
    assert asking(dataworks).is_enabled(code, project_id, known_since=clock.now())
    assert dataworks.calls == []
