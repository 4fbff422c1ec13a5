"""Limits of work in threads: the caller continues at the limit, and lookups do not count."""

from __future__ import annotations

import contextvars
import os
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
    thread = LimitedThread(NAME.get)
    assert thread.wait(60, 60)
    assert thread.result() == "caller"


def test_what_work_raises_is_raised_where_its_result_is_read() -> None:
    def work() -> None:
        raise SystemExit("for the test")

    thread = LimitedThread(work)
    assert thread.wait(60, 60)
    with pytest.raises(SystemExit, match="for the test"):
        thread.result()


def test_work_that_hangs_is_abandoned_and_its_end_is_noted() -> None:
    go, ended = threading.Event(), threading.Event()
    thread = LimitedThread(lambda: go.wait(60))
    assert not thread.wait(0.1, 60)
    assert thread.is_working
    thread.on_end(ended.set)
    assert not ended.is_set()
    go.set()
    assert ended.wait(60)


def run_in_thread(work: Callable[[], int]) -> int:
    thread = LimitedThread(work)
    assert thread.wait(60, 60)
    return thread.result()


def test_a_thread_works_again_after_its_work_has_ended_but_not_while_it_hangs() -> None:
    go = threading.Event()
    hanging: list[int] = []

    def hang() -> None:
        hanging.append(threading.get_ident())
        go.wait(60)

    thread = LimitedThread(hang)
    assert not thread.wait(0.05, 60)
    used = {run_in_thread(threading.get_ident) for _ in range(50)}
    assert len(used) < 5
    assert not used & set(hanging)
    go.set()
    assert thread.wait(60, 60)


def test_a_forked_process_starts_threads_of_its_own() -> None:
    run_in_thread(threading.get_ident)
    pid = os.fork()
    if pid == 0:
        os._exit(run_in_thread(lambda: 7))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


@pytest.mark.parametrize("suspended", [thread_limits.suspended, time_limits.suspended])
def test_a_lookup_does_not_count_but_the_deadline_does(
    suspended: Callable[[], AbstractContextManager[None]],
) -> None:
    go, waits = threading.Event(), threading.Event()

    def work() -> None:
        with suspended():
            waits.set()
            go.wait(60)

    thread = LimitedThread(work)
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
