"""The time limit of work in a thread.

A thread cannot be ended. At the limit its caller continues without it, and the work is abandoned: its thread
works or waits until the work ends by itself, or with its process. Otherwise it is used again.
"""

from __future__ import annotations

import contextvars
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from queue import SimpleQueue
from typing import Generic, TypeVar

MIN_WAIT_SECONDS = 0.05
"""Minimum interval at which a caller looks at the time of a thread that waits in `suspended`."""

MAX_IDLE_THREADS = 32
"""Threads of one process that wait for further work; more of them end after their work."""

T = TypeVar("T")


class Stopwatch:
    """The seconds that a thread spent on its own work, without those in `suspended`."""

    def __init__(self) -> None:
        self._spent = 0.0
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        """The seconds so far."""
        since = self._since
        return self._spent + (0.0 if since is None else time.monotonic() - since)

    @property
    def is_running(self) -> bool:
        """Whether the thread is at its own work."""
        return self._since is not None

    def start(self) -> None:
        """Begin to count."""
        self._since = time.monotonic()

    def stop(self) -> None:
        """Stop to count."""
        self._spent = self.seconds
        self._since = None


_stopwatches: dict[int, Stopwatch] = {}
"""Of the threads of this process whose time is limited, by the thread's identifier."""


class _Thread:
    """A thread that works for one caller after the other; it is a daemon, so that no process waits for it."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        threading.Thread(target=self._serve, name="limited", daemon=True).start()

    def start(self, call: Callable[[], None]) -> None:
        """Make the call, which raises nothing, in this thread."""
        self._calls.put(call)

    def _serve(self) -> None:
        while True:
            self._calls.get()()
            if len(_idle) >= MAX_IDLE_THREADS:
                return
            _idle.append(self)


_idle: list[_Thread] = []
"""The threads of this process that wait for work, the latest one last. Each use is one atomic operation."""


# A forked process has none of its parent's threads.
os.register_at_fork(after_in_child=_idle.clear)


def _take_thread() -> _Thread:
    try:
        return _idle.pop()
    except IndexError:
        return _Thread()


class LimitedThread(Generic[T]):
    """Work that is started at once in another thread, with the caller's context variables.

    Args:
        work: the work.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._result: Future[T] = Future()
        self._stopwatch = Stopwatch()
        _take_thread().start(partial(self._run, contextvars.copy_context(), work))

    def wait(self, seconds: float, real_seconds: float) -> bool:
        """Wait for the end of the work; return whether it has ended.

        Args:
            seconds: limit of the thread's own work.
            real_seconds: limit of the wait.
        """
        limit = time.monotonic() + real_seconds
        while not self._result.done():
            left = min(seconds - self._stopwatch.seconds, limit - time.monotonic())
            if left <= 0:
                return False
            with suppress(TimeoutError):
                self._result.exception(max(left, MIN_WAIT_SECONDS))
        return True

    @property
    def is_working(self) -> bool:
        """Whether it is at its own work, and not in `suspended`."""
        return self._stopwatch.is_running

    def result(self) -> T:
        """Return the result of work that has ended, or raise its exception."""
        return self._result.result()

    def on_end(self, call: Callable[[], None]) -> None:
        """Call `call` at the end of the work, or now if it has ended."""
        self._result.add_done_callback(lambda _: call())

    def _run(self, context: contextvars.Context, work: Callable[[], T]) -> None:
        thread = threading.get_ident()
        _stopwatches[thread] = self._stopwatch
        self._stopwatch.start()
        try:
            result = context.run(work)
        except BaseException as error:  # noqa: BLE001 - raised where the result is read
            self._result.set_exception(error)
        else:
            self._result.set_result(result)
        finally:
            self._stopwatch.stop()
            del _stopwatches[thread]


@contextmanager
def suspended() -> Iterator[None]:
    """Stop the limit of the running thread during the block; without a limit it does nothing."""
    stopwatch = _stopwatches.get(threading.get_ident())
    if stopwatch is None:
        yield
        return
    stopwatch.stop()
    try:
        yield
    finally:
        stopwatch.start()
