"""The threads that look up ahead what the checks of an event will ask for."""

from __future__ import annotations

import contextvars
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

THREADS = 24
"""Lookups that a process runs ahead at a time, for all events."""

EVENT_THREADS = 12
"""Lookups that run ahead at a time for one event: the rest of the threads and of the quota is for others."""


class LookupThreads:
    """The threads of a process that look up ahead; they are started with the first use, and not inherited."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._forget)

    def submit(self, work: Callable[[], None]) -> None:
        """Run `work` in a thread, with the caller's context."""
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(THREADS, "lookup-ahead")
            self._pool.submit(contextvars.copy_context().run, work)

    def _forget(self) -> None:
        self._pool, self._lock = None, threading.Lock()


LOOKUP_THREADS = LookupThreads()
"""Those of this process."""


class EventLookupThreads:
    """The share of one event in the threads: at most EVENT_THREADS at a time; others wait in their order."""

    def __init__(self, threads: LookupThreads) -> None:
        self._threads = threads
        self._waiting: deque[Callable[[], object]] = deque()
        self._running = 0
        self._lock = threading.Lock()

    def begin(self, lookups: Iterable[Callable[[], object]]) -> None:
        """Run `lookups` side by side. What they raise is for the one who needs the answer (`Answers`)."""
        with self._lock:
            self._waiting.extend(lookups)
            started = min(len(self._waiting), EVENT_THREADS - self._running)
            self._running += started
        with suppress(RuntimeError):  # no further thread can be started: then one after the other
            for _ in range(started):
                self._threads.submit(self._work)

    def _work(self) -> None:
        while lookup := self._next():
            with suppress(Exception):
                lookup()

    def _next(self) -> Callable[[], object] | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._running -= 1
            return None
