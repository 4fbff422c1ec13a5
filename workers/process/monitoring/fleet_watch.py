"""Sets the metrics of the whole fleet: its events by state, its workers by role."""

from __future__ import annotations

import threading

from workers import metrics
from workers.process.roles import count_workers
from workers.recovery.engine_loop import run_until_stopped
from workers.services import Services

POLL_SECONDS = 2.0


def run(services: Services, stop: threading.Event) -> None:
    """Set the metrics until `stop` is set; while Redis is unavailable they keep their values."""
    run_until_stopped(lambda: measure(services), stop, component="fleet_watch", every=POLL_SECONDS)


def measure(services: Services) -> None:
    """Set the metrics once.

    Raises:
        redis.RedisError: Redis is unavailable.
    """
    for state, count in services.ledger.counts().items():
        metrics.EVENTS.labels(state.value).set(count)
    for role, workers in count_workers(services.ledger.membership.workers()).items():
        metrics.WORKERS.labels(role.value).set(workers)
