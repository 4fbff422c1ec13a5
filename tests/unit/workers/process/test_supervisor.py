"""How a worker's processes are started again, and ended."""

from __future__ import annotations

import time
from multiprocessing.process import BaseProcess
from typing import cast

import pytest

from workers.process import supervisor
from workers.process.roles import Pool, ProcessGroup, Role
from workers.process.supervisor import ChildProcess

GROUP = ProcessGroup("io", Pool.THREADS, frozenset({Role.INTAKE}))


class FakeProcess:
    """A process that lives until it is ended; a stubborn one ignores SIGTERM."""

    exitcode = 1

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
    process: FakeProcess, *, ran: float = 0.0, pause: float = supervisor.MIN_RESTART_PAUSE
) -> ChildProcess:
    started = time.monotonic() - ran
    return ChildProcess(GROUP, (Role.INTAKE,), 4, cast(BaseProcess, process), started, pause)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[ChildProcess]:
    """The processes that were started again."""
    made: list[ChildProcess] = []

    def start(group: ProcessGroup, roles: tuple[Role, ...], concurrency: int) -> ChildProcess:
        assert (group, roles, concurrency) == (GROUP, (Role.INTAKE,), 4)
        made.append(child(FakeProcess(alive=True)))
        return made[-1]

    monkeypatch.setattr(supervisor, "_start", start)
    return made


@pytest.mark.parametrize(
    ("ran", "pause", "longer"),
    [(0, 1, 2), (0, 16, 30), (0, 30, 30), (supervisor.STABLE_SECONDS + 1, 30, 1)],
)
def test_a_process_that_keeps_ending_is_started_less_and_less_often(
    started: list[ChildProcess], ran: float, pause: float, longer: float
) -> None:
    ended = child(FakeProcess(), ran=ran, pause=pause)
    before = time.monotonic()
    supervisor._restart_dead([ended])
    assert ended.pause == longer
    assert before + longer <= ended.restart_at <= time.monotonic() + longer

    supervisor._restart_dead([ended])
    assert started == [], "its pause has not ended"
    assert ended.pause == longer


def test_after_its_pause_a_process_is_started_again(started: list[ChildProcess]) -> None:
    running, ended = child(FakeProcess(alive=True)), child(FakeProcess())
    ended.restart_at = time.monotonic()
    supervisor._restart_dead([running, ended])

    [again] = started
    assert ended.process is again.process
    assert ended.restart_at == 0.0
    supervisor._restart_dead([running, ended])
    assert started == [again]


def test_a_process_that_does_not_end_in_time_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.0)
    obedient, stubborn = FakeProcess(alive=True), FakeProcess(alive=True, stubborn=True)
    supervisor._stop_all([child(stubborn), child(obedient)])
    assert obedient.signals == ["TERM"]
    assert stubborn.signals == ["TERM", "KILL"]
