"""An operation that hangs keeps at most its share of the calls of a process."""

from __future__ import annotations

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
                calls.enter_context(limits.call(operation))
            except Busy:
                return number
    return 2 * THREADS


def fail(
    limits: Bulkheads, operation: Operation, clock: Clock, seconds: float, error: DataWorksError
) -> None:
    with suppress(type(error)), limits.call(operation):
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
            calls.enter_context(limits.call(operation))
        with pytest.raises(Busy, match="calls of this operation hang"):
            limits.require_room(operation)
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
