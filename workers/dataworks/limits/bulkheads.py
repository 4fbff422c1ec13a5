"""Keeps an operation that hangs from taking all threads of a process, and with them all other operations.

A call that gets no response keeps its thread for `CALL_SECONDS`. Reports and lookups of all operations share
the threads of a process, so without a limit one operation that hangs delays every verdict. The limit is not a
queue: a call above it fails at once, is retried later, and its thread is free for another operation.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from workers.dataworks.errors import Busy, Unreachable
from workers.dataworks.operations import Operation, QuotaKind

HANG_SECONDS = 1.0
"""A call without a response after this time hangs; one that fails earlier does not block a thread."""

log = structlog.get_logger()


class Bulkheads:
    """The calls in progress of one process, by operation.

    An operation whose latest call hung may use a quarter of the threads; its next response ends that. A write
    may never use more than half of them: a verdict that waits costs a retry, not a check.

    Args:
        threads: number of calls that the process can make at a time.
    """

    def __init__(self, threads: int) -> None:
        self._share = max(1, threads // 2)
        self._share_of_hanging = max(1, threads // 4)
        self._running: Counter[str] = Counter()
        self._hanging: set[str] = set()
        self._lock = threading.Lock()

    def require_room(self, operation: Operation) -> None:
        """Raise `Busy` if the operation has used up its share; call this before waiting for the quota."""
        key, limit = operation.cache_key, self._limit(operation)
        if limit is not None and self._running[key] >= limit:
            reason = (
                "calls of this operation hang"
                if key in self._hanging
                else "its share of calls is in progress"
            )
            raise Busy(operation.action, "Busy", reason)

    @contextmanager
    def call(self, operation: Operation) -> Iterator[None]:
        """Count a call while it is in progress.

        Raises:
            Busy: the operation has used up its share.
        """
        key, started = operation.cache_key, time.monotonic()
        with self._lock:
            self.require_room(operation)
            self._running[key] += 1
        hangs = False
        try:
            yield
        except Unreachable:
            hangs = time.monotonic() - started >= HANG_SECONDS
            raise
        finally:
            with self._lock:
                self._running[key] -= 1
                self._note(key, hangs=hangs)

    def _note(self, key: str, *, hangs: bool) -> None:
        if hangs and key not in self._hanging:
            self._hanging.add(key)
            log.warning("operation_hangs", action=key)
        elif not hangs and key in self._hanging:
            self._hanging.remove(key)
            log.info("operation_answers_again", action=key)

    def _limit(self, operation: Operation) -> int | None:
        if operation.cache_key in self._hanging:
            return self._share_of_hanging
        return self._share if operation.quota_kind is QuotaKind.WRITE else None
