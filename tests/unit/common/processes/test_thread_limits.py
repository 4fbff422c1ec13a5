"""Limits of work in threads: the caller continues at the limit, and lookups do not count."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from common.processes import thread_limits, time_limits
from common.processes.thread_limits import LimitedThread, Stopwatch

NAME: contextvars.ContextVar[str] = contextvars.ContextVar("NAME", default="none")


def test_work_returns_its_result_with_the_context_of_its_caller() -> None:
    NAME.set("caller")
    thread = LimitedThread(NAME.get, "test")
    assert thread.wait(60, 60)
    assert thread.result() == "caller"


def test_what_work_raises_is_raised_where_its_result_is_read() -> None:
    def work() -> None:
        raise SystemExit("for the test")

    thread = LimitedThread(work, "test")
    assert thread.wait(60, 60)
    with pytest.raises(SystemExit, match="for the test"):
        thread.result()


def test_work_that_hangs_is_abandoned_and_its_end_is_noted() -> None:
    go, ended = threading.Event(), threading.Event()
    thread = LimitedThread(lambda: go.wait(60), "test")
    assert not thread.wait(0.1, 60)
    assert thread.is_working
    thread.on_end(ended.set)
    assert not ended.is_set()
    go.set()
    assert ended.wait(60)


@pytest.mark.parametrize("suspended", [thread_limits.suspended, time_limits.suspended])
def test_a_lookup_does_not_count_but_the_deadline_does(
    suspended: Callable[[], AbstractContextManager[None]],
) -> None:
    go, waits = threading.Event(), threading.Event()

    def work() -> None:
        with suspended():
            waits.set()
            go.wait(60)

    thread = LimitedThread(work, "test")
    assert waits.wait(60)
    started = time.monotonic()
    assert not thread.wait(0.05, 0.5)
    assert time.monotonic() - started >= 0.5, "its own work took no time"
    assert not thread.is_working
    go.set()
    assert thread.wait(60, 60)


def test_a_stopwatch_counts_between_start_and_stop() -> None:
    watch = Stopwatch()
    assert watch.seconds == 0.0
    watch.start()
    watch.stop()
    counted = watch.seconds
    assert counted > 0.0
    assert watch.seconds == counted


def test_outside_of_limited_work_nothing_is_suspended() -> None:
    with thread_limits.suspended():
        assert thread_limits._stopwatches == {}
