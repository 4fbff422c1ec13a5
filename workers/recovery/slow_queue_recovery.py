"""Publishes messages of the slow queue again that were lost, with the broker or with their publisher.

Checks are in Redis until they have finished, so none is lost with its message.
"""

from __future__ import annotations

import threading

from workers import metrics
from workers.recovery.engine_loop import run_until_stopped
from workers.services import Services

POLL_SECONDS = 2.0


def run(services: Services, stop: threading.Event) -> None:
    """Recover lost messages until `stop` is set."""

    def step() -> None:
        metrics.SLOW_CHECKS_WAITING.set(services.scheduler.recover())

    run_until_stopped(step, stop, component="slow_queue_recovery", every=POLL_SECONDS)
