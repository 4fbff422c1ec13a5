"""Answers every event whose deadline nears: a poller over the ledger's deadlines, with leases.

Any number of watchdogs may run: each takes what is due for a lease; when one dies, another looks again.
It posts by itself, so it needs neither the broker nor a free worker.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import structlog

from common.ledger import EventRecord
from workers import metrics, reporter
from workers.dataworks.errors import DataWorksError
from workers.recovery.engine_loop import run_until_stopped
from workers.services import Services
from workers.task_base import error_location

POLL_SECONDS = 0.1
LEASE_SECONDS = 2.0
"""An event that could not be answered is looked at again after so long."""

THREADS = 16

log = structlog.get_logger()


def run(services: Services, stop: threading.Event) -> None:
    """Watch until `stop` is set. A fault of Redis is waited out."""
    with ThreadPoolExecutor(THREADS, "watchdog") as pool:

        def step() -> None:
            for message_id in services.ledger.lease_due(LEASE_SECONDS, THREADS):
                pool.submit(_handle_guarded, services, message_id)

        run_until_stopped(step, stop, component="watchdog", every=POLL_SECONDS)


def _handle_guarded(services: Services, message_id: str) -> None:
    with structlog.contextvars.bound_contextvars(message_id=message_id):
        try:
            handle_due(services, message_id)
        except Exception as error:  # noqa: BLE001 - one event must not end the watch over the others
            log.error("watch-failed", error=type(error).__name__, at=error_location(error))


def handle_due(services: Services, message_id: str) -> None:
    """Answer one event that is due; bury it when its deadline passed and it cannot be answered."""
    record = services.ledger.get(message_id)
    if record is None or record.state.is_final:
        services.ledger.unschedule(message_id)
        return
    try:
        reporter.decide_and_post(services, message_id, due=True)
    except DataWorksError as error:
        log.warning("not-posted", error=str(error))
        if time.time() >= record.deadline_at:
            mark_dead(services, record, str(error))


def mark_dead(services: Services, record: EventRecord, reason: str) -> None:
    """Give an event up to the dead, and raise the alarm: a person waits for it."""
    if services.ledger.mark_dead(record.event.message_id, reason):
        metrics.DEAD.labels(record.event.event_code).inc()
        log.error("dead", event_code=record.event.event_code, project_id=record.event.project_id, why=reason)
