"""Calls of libraries that have no time limit of their own, such as name resolution."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

MAX_THREADS = 4
"""Threads for one kind of call, and so the number of calls that may hang at a time."""

T = TypeVar("T")


class HelperThreads:
    """Runs calls in a few threads, so that their callers can stop waiting.

    A call that hangs keeps its thread until the library gives up. Without a free thread no call starts.

    Args:
        name: prefix of the threads' names.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._pool: ThreadPoolExecutor | None = None
        os.register_at_fork(after_in_child=self._forget)

    def call(self, function: Callable[[], T], seconds: float) -> T:
        """Return the result of `function`.

        Raises:
            TimeoutError: there is none after `seconds`.
        """
        if self._pool is None:
            # Two threads may both create the first pool, which is harmless.
            self._pool = ThreadPoolExecutor(MAX_THREADS, self._name)
        future = self._pool.submit(function)
        try:
            return future.result(seconds)
        except TimeoutError:
            future.cancel()
            raise

    def _forget(self) -> None:
        self._pool = None  # its threads are the parent's
