"""How a worker's processes are started again, and ended."""

from __future__ import annotations

import subprocess
import sys
import time
from multiprocessing.process import BaseProcess
from typing import cast

import pytest

from common.topology import QueueName
from workers.process import supervisor
from workers.process.process_state import ProcessState
from workers.process.roles import GROUPS, Pool, ProcessGroup, Role
from workers.process.supervisor import ChildProcess

GROUP = ProcessGroup("io", Pool.THREADS, {Role.INTAKE: QueueName.INTAKE})


class FakeProcess:
    """A process that lives until it is ended; a stubborn one ignores SIGTERM."""

    exitcode = 1
    pid = 4_194_304  # above the maximum

    def __init__(self, *, alive: bool = False, stubborn: bool = False) -> None:
        self.alive = alive
        self.stubborn = stubborn
        self.signals: list[str] = []

    def is_alive(self) -> bool:
        return self.alive

    def terminate(self) -> None:
        self.signals.append("TERM")
        self.alive = self.stubborn

    def kill(self) -> None:
        self.signals.append("KILL")
        self.alive = False

    def join(self, timeout: float | None = None) -> None:
        assert timeout is not None or not self.alive, "it would never return"


def child(
    process: FakeProcess,
    *,
    ran: float = 0.0,
    pause: float = supervisor.MIN_RESTART_PAUSE,
    group: ProcessGroup = GROUP,
) -> ChildProcess:
    started = time.monotonic() - ran
    shared = ProcessState(time.monotonic(), is_ready=True)
    return ChildProcess(group, (Role.INTAKE,), 4, shared, cast(BaseProcess, process), started, pause)


class Starts:
    """Starts processes; `made` are those that were started."""

    def __init__(self) -> None:
        self.made: list[ChildProcess] = []

    def __call__(
        self, group: ProcessGroup, roles: tuple[Role, ...], concurrency: int, shared: ProcessState
    ) -> ChildProcess:
        assert (roles, concurrency) == ((Role.INTAKE,), 4)
        new = child(FakeProcess(alive=True), group=group)
        shared.last_progress, shared.is_ready, shared.was_ready = time.monotonic(), True, False
        new.shared = shared
        self.made.append(new)
        return new


@pytest.fixture
def started() -> Starts:
    """Starts processes again."""
    return Starts()


@pytest.mark.parametrize(
    ("ran", "pause", "longer"),
    [(0, 1, 2), (0, 16, 30), (0, 30, 30), (supervisor.STABLE_SECONDS + 1, 30, 1)],
)
def test_a_process_that_keeps_ending_is_started_less_and_less_often(
    started: Starts, ran: float, pause: float, longer: float
) -> None:
    ended = child(FakeProcess(), ran=ran, pause=pause)
    before = time.monotonic()
    supervisor._restart_dead([ended], started)
    assert ended.pause == longer
    assert before + longer <= ended.restart_at <= time.monotonic() + longer

    supervisor._restart_dead([ended], started)
    assert started.made == [], "its pause has not ended"
    assert ended.pause == longer


def test_the_process_that_keeps_the_deadlines_is_always_started_again_soon(started: Starts) -> None:
    [group] = [group for group in GROUPS if group.keeps_deadlines]
    ended = child(FakeProcess(), group=group)
    supervisor._restart_dead([ended], started)
    assert group.name == "watchdog"
    assert ended.pause == supervisor.MIN_RESTART_PAUSE


def test_after_its_pause_a_process_is_started_again(started: Starts) -> None:
    running, ended = child(FakeProcess(alive=True)), child(FakeProcess())
    ended.restart_at = time.monotonic()
    supervisor._restart_dead([running, ended], started)

    [again] = started.made
    assert ended.process is again.process
    assert ended.restart_at == 0.0
    supervisor._restart_dead([running, ended], started)
    assert started.made == [again]


def test_a_process_that_does_not_end_in_time_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.0)
    obedient, stubborn = FakeProcess(alive=True), FakeProcess(alive=True, stubborn=True)
    supervisor._stop_all([child(stubborn), child(obedient)])
    assert obedient.signals == ["TERM"]
    assert stubborn.signals == ["TERM", "KILL"]


def stalled(process: FakeProcess) -> ChildProcess:
    """Return a child whose last progress is too long ago."""
    made = child(process)
    made.shared.last_progress -= supervisor.STALL_SECONDS + 1
    return made


def test_a_process_without_progress_is_terminated_then_killed() -> None:
    process = FakeProcess(alive=True, stubborn=True)
    subject = stalled(process)
    supervisor._end_stalled([subject], time.monotonic())
    assert process.signals == ["TERM"]
    assert subject.update_health().state == "stalled"

    supervisor._end_stalled([subject], time.monotonic())
    assert process.signals == ["TERM"], "it has some time to exit"
    subject.kill_at = time.monotonic()
    supervisor._end_stalled([subject], time.monotonic())
    assert process.signals == ["TERM", "KILL"]
    assert subject.update_health().state == "down"


def test_a_replaced_process_is_not_stalled(started: Starts) -> None:
    subject = stalled(FakeProcess(alive=True))
    supervisor._end_stalled([subject], time.monotonic())
    subject.restart_at = time.monotonic()
    supervisor._restart_dead([subject], started)
    assert len(started.made) == 1
    assert subject.update_health().state == "ready"
    supervisor._end_stalled([subject], time.monotonic())
    assert subject.update_health().state == "ready"


def test_a_process_with_progress_is_left_alone() -> None:
    process = FakeProcess(alive=True)
    supervisor._end_stalled([child(process)], time.monotonic())
    assert process.signals == []


def test_after_a_pause_of_the_whole_worker_its_processes_get_their_time_again() -> None:
    process = FakeProcess(alive=True)
    supervisor._end_stalled([stalled(process)], time.monotonic() - supervisor.STALL_SECONDS)
    assert process.signals == []


PRELOADING = """
import sys

from workers.process import supervisor
from workers.process.roles import Role, groups_for

supervisor._load_modules(groups_for([Role(role) for role in sys.argv[1:]]), is_traced=False)
print(any(name.startswith("alibabacloud") for name in sys.modules))
"""


@pytest.mark.parametrize(
    ("roles", "has_sdk"),
    [(("checks-cpu",), False), (("checks-io",), True), (("watchdog",), True), ((), True)],
)
def test_the_sdk_is_loaded_only_where_dataworks_is_called(roles: tuple[str, ...], *, has_sdk: bool) -> None:
    command = [sys.executable, "-c", PRELOADING, *roles]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert shown.stdout == f"{has_sdk}\n"


def test_a_process_full_of_checks_that_hang_is_replaced() -> None:
    process = FakeProcess(alive=True)
    subject = child(process)
    subject.shared.hanging_checks = supervisor.MAX_HANGING_CHECKS
    supervisor._end_stalled([subject], time.monotonic())
    assert process.signals == []
    subject.shared.hanging_checks += 1
    supervisor._end_stalled([subject], time.monotonic())
    assert process.signals == ["TERM"]


def test_a_replaced_process_is_away_until_the_new_one_is_ready(started: Starts) -> None:
    subject = child(FakeProcess(alive=True))
    assert subject.update_health().state == "ready"
    cast(FakeProcess, subject.process).alive = False
    subject.restart_at = time.monotonic()
    supervisor._restart_dead([subject], started)
    started.made[0].shared.is_ready = False
    health = subject.update_health()
    assert health.state == "starting"
    assert health.is_alive
    subject.shared.is_ready = True
    assert subject.update_health().state == "ready"
