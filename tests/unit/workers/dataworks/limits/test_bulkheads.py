"""An operation that hangs keeps at most its share of the calls of a process."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import pytest

from common.extension_points import ResultOperation
from workers.dataworks import operations
from workers.dataworks.errors import Busy, DataWorksError, RequestRejected, Unreachable
from workers.dataworks.limits import bulkheads
from workers.dataworks.limits.bulkheads import HANG_SECONDS, Bulkheads
from workers.dataworks.operations import Operation

POST, OTHER_POST = operations.RESULTS[ResultOperation.IDE], operations.RESULTS[ResultOperation.WORKBENCH]
LOOKUP = operations.NODE
THREADS = 16


@dataclass
class Clock:
    """A clock that tests move."""

    now: float = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(bulkheads, "time", clock)
    return clock


def count_room(limits: Bulkheads, operation: Operation) -> int:
    """Return how many further calls of an operation may be in progress, at most 2 * THREADS."""
    with ExitStack() as calls:
        for number in range(2 * THREADS):
            try:
                calls.enter_context(limits.call(operation, seconds=0))
            except Busy:
                return number
    return 2 * THREADS


def fail(
    limits: Bulkheads, operation: Operation, clock: Clock, seconds: float, error: DataWorksError
) -> None:
    with suppress(type(error)), limits.call(operation, seconds=0):
        clock.now += seconds
        raise error


def test_a_write_has_half_of_the_threads_and_a_lookup_all() -> None:
    limits = Bulkheads(THREADS)
    assert count_room(limits, POST) == THREADS // 2
    assert count_room(limits, LOOKUP) == 2 * THREADS
    assert count_room(limits, POST) == THREADS // 2, "each call that ended gave its room back"


@pytest.mark.parametrize("operation", [POST, LOOKUP])
def test_after_a_call_that_hung_an_operation_has_a_quarter_until_it_answers(
    clock: Clock, operation: Operation
) -> None:
    limits = Bulkheads(THREADS)
    before = count_room(limits, operation)
    fail(limits, operation, clock, HANG_SECONDS, Unreachable("a", "ReadTimeout"))
    with ExitStack() as calls:
        for _ in range(THREADS // 4):
            calls.enter_context(limits.call(operation, seconds=0))
        with pytest.raises(Busy, match="calls of this operation hang"):
            limits.await_room(operation, seconds=60)
        assert count_room(limits, OTHER_POST) == THREADS // 2, "another operation is not affected"
    assert count_room(limits, operation) == before, "calls ended with a response"


@pytest.mark.parametrize(
    ("seconds", "error"),
    [
        (0.1, Unreachable("a", "NewConnectionError")),
        (HANG_SECONDS, RequestRejected("a", "InvalidParameter")),
    ],
    ids=["a refused connection", "a slow answer"],
)
def test_only_a_call_that_waits_for_nothing_hangs(
    clock: Clock, seconds: float, error: DataWorksError
) -> None:
    limits = Bulkheads(THREADS)
    fail(limits, LOOKUP, clock, seconds, error)
    assert count_room(limits, LOOKUP) == 2 * THREADS


def test_a_process_with_one_thread_can_always_call(clock: Clock) -> None:
    limits = Bulkheads(1)
    fail(limits, POST, clock, HANG_SECONDS, Unreachable("a", "ReadTimeout"))
    assert count_room(limits, POST) == 1


class Calls:
    """Calls in progress in threads, which the test ends."""

    def __init__(self, limits: Bulkheads, pool: ThreadPoolExecutor) -> None:
        self._limits, self._pool = limits, pool
        self._may_end = threading.Semaphore(0)
        self._entered = threading.Semaphore(0)
        self.futures: list[Future[None]] = []

    def start(self, *, seconds: float = 60) -> Future[None]:
        self.futures.append(self._pool.submit(self._call, seconds))
        return self.futures[-1]

    def _call(self, seconds: float) -> None:
        with self._limits.call(POST, seconds=seconds):
            self._entered.release()
            assert self._may_end.acquire(timeout=10)

    def wait_entered(self, number: int) -> None:
        for _ in range(number):
            assert self._entered.acquire(timeout=10)

    def end(self, number: int = 1) -> None:
        self._may_end.release(number)


def test_a_call_above_the_share_waits_for_another_to_end() -> None:
    with ThreadPoolExecutor(3) as pool:
        calls = Calls(Bulkheads(4), pool)
        calls.start(), calls.start()
        calls.wait_entered(2)
        waiting = calls.start()
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.05)
        calls.end()
        calls.wait_entered(1)
        calls.end(2)
        wait(calls.futures)
        waiting.result()


def test_a_call_that_finds_no_room_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulkheads, "ROOM_SECONDS", 0.05)
    with ThreadPoolExecutor(2) as pool:
        calls = Calls(Bulkheads(2), pool)
        calls.start()
        calls.wait_entered(1)
        with pytest.raises(Busy, match="its share of calls is in progress"):
            calls.start().result()
        calls.end()


def test_a_call_does_not_wait_behind_calls_without_a_response(clock: Clock) -> None:
    """Before they fail, which takes seconds, the threads are free for other operations."""
    limits = Bulkheads(2)
    with limits.call(POST, seconds=60):
        clock.now += HANG_SECONDS
        with pytest.raises(Busy, match="its share of calls is in progress"):
            limits.await_room(POST, seconds=60)


def test_waiting_calls_are_refused_when_one_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulkheads, "HANG_SECONDS", 0.0)
    monkeypatch.setattr(bulkheads, "ROOM_SECONDS", 60.0)
    limits = Bulkheads(8)
    with ThreadPoolExecutor(5) as pool, ExitStack() as others:
        for _ in range(3):
            others.enter_context(limits.call(POST, seconds=0))
        with suppress(Unreachable), limits.call(POST, seconds=0):
            monkeypatch.setattr(bulkheads, "HANG_SECONDS", 1000.0)
            waiting = pool.submit(limits.await_room, POST, seconds=60)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.05)
            monkeypatch.setattr(bulkheads, "HANG_SECONDS", 0.0)
            raise Unreachable("a", "ReadTimeout")
        with pytest.raises(Busy, match="calls of this operation hang"):
            waiting.result(timeout=10)
