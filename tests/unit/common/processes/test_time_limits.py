"""Time limits: Python code is interrupted, code in C ends with its process, and lookups do not count."""

from __future__ import annotations

import collections
import contextlib
import itertools
import multiprocessing
import signal
import time
from collections.abc import Callable

import pytest

from common.processes import time_limits
from common.processes.time_limits import GRACE_SECONDS, KILL_SIGNAL, Suspending, TimeLimitReached

_FORK = multiprocessing.get_context("fork")
SECONDS = 0.2


def loop() -> None:
    while True:
        pass


def stall() -> None:
    """Consume an endless iterator in one call of C code, which checks for no signal."""
    collections.deque(itertools.repeat(0), maxlen=0)


def exit_code(work: Callable[[], None], grace: float = GRACE_SECONDS) -> int | None:
    """Return the exit code of a process that does limited work; 7 if the limit raised.

    With a long `grace` also a busy machine does not end it before it has used up its CPU time.
    """

    def run() -> None:
        time_limits.GRACE_SECONDS = grace
        try:
            with time_limits.limited(SECONDS):
                work()
        except TimeLimitReached:
            raise SystemExit(7) from None

    process = _FORK.Process(target=run)
    process.start()
    process.join(60)
    return process.exitcode


def test_python_code_is_interrupted_whatever_it_catches() -> None:
    def cling() -> None:
        while True:
            with contextlib.suppress(Exception):
                loop()

    assert exit_code(cling, grace=50) == 7


def test_an_exception_that_a_destructor_drops_is_raised_again() -> None:
    class Busy:
        def __del__(self) -> None:
            loop()

    def work() -> None:
        busy = Busy()
        del busy
        loop()

    assert exit_code(work, grace=50) == 7


def test_code_in_c_ends_with_its_process() -> None:
    assert exit_code(stall) == -KILL_SIGNAL


def test_work_that_ends_in_time_leaves_nothing_behind() -> None:
    def work() -> None:
        pass

    assert exit_code(work) == 0

    def longer_after() -> None:
        with time_limits.limited(SECONDS):
            pass
        begin = time.monotonic()
        while time.monotonic() - begin < SECONDS + GRACE_SECONDS + 0.3:
            pass

    process = _FORK.Process(target=longer_after)
    process.start()
    process.join(60)
    assert process.exitcode == 0


def test_suspended_time_does_not_count() -> None:
    class Slow:
        def look_up(self, name: str) -> str:
            time.sleep(SECONDS + GRACE_SECONDS + 0.3)
            return name

    def work() -> None:
        assert Suspending(Slow()).look_up("a") == "a"

    assert exit_code(work) == 0


def test_after_a_suspension_the_limit_continues() -> None:
    def work() -> None:
        with time_limits.suspended():
            pass
        stall()

    assert exit_code(work) == -KILL_SIGNAL


def test_timers_and_signals_of_others_are_restored() -> None:
    before = signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGPROF)
    outer, _ = signal.getitimer(signal.ITIMER_REAL)
    with pytest.raises(TimeLimitReached), time_limits.limited(30):
        signal.raise_signal(signal.SIGPROF)
    assert (signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGPROF)) == before
    left, _ = signal.getitimer(signal.ITIMER_REAL)
    assert left <= outer
    assert bool(left) == bool(outer)


def test_without_a_limit_a_suspension_does_nothing() -> None:
    before = signal.getitimer(signal.ITIMER_PROF)
    with time_limits.suspended():
        assert signal.getitimer(signal.ITIMER_PROF) == before
