"""Keeps an operation that hangs from taking all threads of a process, and with them all other operations.

A call that gets no response keeps its thread for `CALL_SECONDS`. Reports and lookups of all operations share
the threads of a process, so without a limit one operation that hangs delays every verdict. While the calls of
an operation are answered, one above the limit waits a moment for another to end: refused, it would be tried
again at once, and the tries would take the CPU time of the calls. If they are not, it fails at once, is
retried later, and its thread is free for another operation.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from workers.dataworks.errors import Busy, Unreachable
from workers.dataworks.operations import Operation, QuotaKind

HANG_SECONDS = 1.0
"""A call without a response after this time hangs; one that fails earlier does not block a thread."""

ROOM_SECONDS = 0.5
"""How long a call waits for one of its operation to end, while these are answered.

Shorter than the lease of a due event: another process would try to post it meanwhile.
"""

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
        self._answered: dict[str, float] = {}
        self._hanging: set[str] = set()
        self._lock = threading.Lock()
        self._ended: defaultdict[str, threading.Condition] = defaultdict(
            lambda: threading.Condition(self._lock)
        )

    def await_room(self, operation: Operation, *, seconds: float) -> None:
        """Wait until the operation may make one more call; do this before waiting for the quota.

        Args:
            operation: the operation.
            seconds: how long to wait at most; never longer than `ROOM_SECONDS`.

        Raises:
            Busy: it has used up its share.
        """
        with self._lock:
            self._await_room(operation, seconds)

    @contextmanager
    def call(self, operation: Operation, *, seconds: float) -> Iterator[None]:
        """Count a call while it is in progress; before it, wait like `await_room`.

        Raises:
            Busy: the operation has used up its share.
        """
        key = operation.cache_key
        with self._lock:
            self._await_room(operation, seconds)
            started = time.monotonic()
            if not self._running[key]:
                self._answered[key] = started
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

    def _await_room(self, operation: Operation, seconds: float) -> None:
        key, end = operation.cache_key, time.monotonic() + min(seconds, ROOM_SECONDS)
        while not self._has_room(operation):
            now = time.monotonic()
            if key in self._hanging:
                raise Busy(operation.action, "Busy", "calls of this operation hang")
            if now >= end or now - self._answered[key] >= HANG_SECONDS:
                raise Busy(operation.action, "Busy", "its share of calls is in progress")
            self._ended[key].wait(end - now)

    def _has_room(self, operation: Operation) -> bool:
        limit = self._limit(operation)
        return limit is None or self._running[operation.cache_key] < limit

    def _note(self, key: str, *, hangs: bool) -> None:
        self._ended[key].notify()
        if hangs and key not in self._hanging:
            self._hanging.add(key)
            self._ended[key].notify_all()
            log.warning("operation_hangs", action=key)
        elif not hangs and key in self._hanging:
            self._hanging.remove(key)
            log.info("operation_answers_again", action=key)
        if not hangs:
            self._answered[key] = time.monotonic()

    def _limit(self, operation: Operation) -> int | None:
        if operation.cache_key in self._hanging:
            return self._share_of_hanging
        return self._share if operation.quota_kind is QuotaKind.WRITE else None
