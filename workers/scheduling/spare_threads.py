"""Threads that work on the events of one message side by side, since each waits for DataWorks."""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TypeVar

from workers import progress

MAX_THREADS = 16
"""Spare threads of a process, for the messages of all its tasks."""

T = TypeVar("T")


class SpareThreads:
    """Threads that help the thread of a task while they are free; they are started with the first use."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._active = 0
        self._lock = threading.Lock()

    @property
    def active(self) -> int:
        """Number of threads that are at work."""
        return self._active

    def run(self, work: Callable[[T], None], items: Iterable[T]) -> None:
        """Call `work` with each item, in their order; several at a time, one of them in this thread.

        Raises:
            Exception: the first that `work` raised, when all items are done.
        """
        waiting = deque(items)
        helpers: list[Future[None]] = [Future() for _ in range(min(len(waiting) - 1, MAX_THREADS))]
        with suppress(RuntimeError):  # no further thread can be started: then this one does the rest
            for helper in helpers:
                self._start(helper, work, waiting)
        try:
            _work_off(work, waiting)
        finally:
            started = [helper for helper in helpers if not helper.cancel()]
            wait(started)
        for helper in started:
            helper.result()

    def _start(self, helper: Future[None], work: Callable[[T], None], waiting: deque[T]) -> None:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(MAX_THREADS, "spare")
            self._pool.submit(contextvars.copy_context().run, self._help, helper, work, waiting)

    def _help(self, helper: Future[None], work: Callable[[T], None], waiting: deque[T]) -> None:
        if not helper.set_running_or_notify_cancel():
            return  # the others have done everything
        fault: BaseException | None = None
        with self._lock:
            self._active += 1
        try:
            with progress.step(may_wait=True):
                _work_off(work, waiting)
        except BaseException as error:  # noqa: BLE001 - raised in the thread of the task
            fault = error
        with self._lock:
            self._active -= 1
        if fault:
            helper.set_exception(fault)
        else:
            helper.set_result(None)


def _work_off(work: Callable[[T], None], waiting: deque[T]) -> None:
    """Call `work` with items until none is waiting; raise the first exception then."""
    fault: Exception | None = None
    while True:
        try:
            item = waiting.popleft()
        except IndexError:
            break
        try:
            work(item)
        except Exception as error:  # noqa: BLE001 - raised when the others are done
            fault = fault or error
    if fault:
        raise fault
