"""What the threads of this process work on, so that a thread that makes no progress is noticed.

A *step* is a piece of work of one thread. A step that may wait (for Redis, the broker, DataWorks) makes no
progress if it computes without finishing a lookup; waiting is not a fault of the process. A step that never
waits makes no progress if it does not finish.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

SLOW_AFTER = 5.0
"""Seconds that a step may take before it counts as without progress since its start."""

COMPUTING_SECONDS = 0.5
"""CPU seconds of a step that may wait, above which it is computing. Low, since all threads share one core."""


@dataclass(slots=True)
class _Step:
    """The step of one thread.

    Attributes:
        may_wait: whether waiting is part of it.
        started: when it started or last made progress, on the monotonic clock in seconds.
        cpu_at_start: CPU seconds that the thread had used then.
    """

    may_wait: bool
    started: float
    cpu_at_start: float


_steps: dict[int, _Step] = {}
"""The current step of each thread, by the thread's identifier."""


@contextmanager
def step(*, may_wait: bool) -> Iterator[None]:
    """Mark a block of code as a step of this thread; the end of an inner step is progress of the outer."""
    thread = threading.get_ident()
    outer = _steps.get(thread)
    _steps[thread] = _Step(may_wait, time.monotonic(), time.thread_time())
    try:
        yield
    finally:
        if outer is None:
            del _steps[thread]
        else:
            _restart(outer)
            _steps[thread] = outer


def mark() -> None:
    """Record that the step of this thread has made progress."""
    if current := _steps.get(threading.get_ident()):
        _restart(current)


def last_progress() -> float:
    """Return when every thread of this process had last made progress, on the monotonic clock in seconds.

    This is now, unless a step takes longer than SLOW_AFTER.
    """
    now = time.monotonic()
    late = [item for item in _steps.copy().items() if now - item[1].started > SLOW_AFTER]
    return min([now, *(each.started for thread, each in late if _is_computing(thread, each))])


def _restart(current: _Step) -> None:
    current.cpu_at_start = time.thread_time()
    current.started = time.monotonic()


def _is_computing(thread: int, current: _Step) -> bool:
    if not current.may_wait:
        return True
    if sys.platform != "linux" or _steps.get(thread) is not current:
        return False  # the clock of a thread that has ended must not be read
    used = time.clock_gettime(time.pthread_getcpuclockid(thread)) - current.cpu_at_start
    return used > COMPUTING_SECONDS
