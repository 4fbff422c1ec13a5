"""Celery's view of a message that this process has received, with times of the fleet's clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from celery.worker.request import Request

from common import clock


class TaskRequest(Request):  # type: ignore[misc]  # Celery ships no types
    """A request that starts at the right time on a machine whose clock is wrong.

    Attributes:
        accepted_at: when the pool started the task, on the monotonic clock in seconds; None before.
    """

    accepted_at: float | None = None

    @property
    def eta(self) -> datetime | None:
        """When to start, by the machine's clock, as Celery expects it; the sender used the server's."""
        eta: datetime | None = super().eta
        return eta and eta + timedelta(seconds=clock.skew())

    def on_accepted(self, pid: int, time_accepted: float) -> None:
        """Celery's hook: the pool starts the task. Celery's own `time_start` follows jumps of the clock."""
        self.accepted_at = time_accepted
        super().on_accepted(pid, time_accepted)
