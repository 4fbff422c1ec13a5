"""Reports the state of a child process to the supervisor, in shared memory, without any engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from celery import signals
from celery.worker.state import active_requests

from workers import progress
from workers.process.process_state import ProcessState

REPORT_SECONDS = 1.0
"""Seconds between two reports."""

OVERDUE_SECONDS = 10.0
"""Seconds after its hard time limit at which a running task counts as without progress."""


class ProgressReport:
    """Writes the time of this process's last progress, and whether it is ready.

    A thread that does not release the interpreter's lock (a regular expression) stops the reports themselves.

    Args:
        state: where the supervisor reads it.
    """

    def __init__(self, state: ProcessState) -> None:
        self._state = state
        self._consumer: Any = None
        self._connected_at = time.monotonic()
        self._hanging_checks: Callable[[], int] = lambda: 0
        signals.worker_ready.connect(self._ready, weak=False)

    def start(self) -> None:
        """Report until the process ends."""
        threading.Thread(target=self._run, name="progress", daemon=True).start()

    def count_hanging(self, hanging_checks: Callable[[], int]) -> None:
        """Report from now on what `hanging_checks` returns."""
        self._hanging_checks = hanging_checks

    def set_ready(self) -> None:
        """Report that a process without a Celery consumer does its work."""
        self._state.is_ready = True

    def _ready(self, sender: Any, **_: Any) -> None:
        self._consumer = sender
        self._state.is_ready = True

    def _run(self) -> None:
        while True:
            overdue = self._longest_overdue()
            oldest = time.monotonic() - overdue if overdue > OVERDUE_SECONDS else time.monotonic()
            self._state.last_progress = min(progress.last_progress(), oldest)
            self._state.hanging_checks = self._hanging_checks()
            if self._consumer is not None:
                self._state.is_ready = self._consumer.connection is not None
            time.sleep(REPORT_SECONDS)

    def _longest_overdue(self) -> float:
        """Return the seconds since the earliest hard time limit of a task that was to end it.

        Without a connection Celery does not look at its tasks: only the time since it connected counts.
        """
        now = time.monotonic()
        if self._consumer is None or self._consumer.connection is None:
            self._connected_at = now
            return 0.0
        try:
            limits = [item.accepted_at + item.time_limits[0] for item in active_requests if _has_limit(item)]
        except RuntimeError:  # a task was added meanwhile
            return 0.0
        return max((now - max(limit, self._connected_at) for limit in limits), default=0.0)


def _has_limit(request: Any) -> bool:
    # A request has no such attribute until the pool has accepted it.
    accepted_at = getattr(request, "accepted_at", None)
    return bool(accepted_at and request.time_limits and request.time_limits[0])
