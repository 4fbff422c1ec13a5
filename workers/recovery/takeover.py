"""Plans the events that no intake worker has planned in time, and sends out their checks.

The deadline of an event is kept without this: the watchdog decides it with what is there. But without a plan
nothing is there, and what a check would have found would pass. So a part of the time is left for the checks,
whatever keeps intake from its queue: a crash loop, a slow roll-out, a backlog.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

from common import clock
from common.ledger import UnplannedEvent
from workers import metrics, progress
from workers.intake import advance
from workers.recovery.engine_loop import run_until_stopped
from workers.services import Services
from workers.task_base import TRANSIENT_ERRORS, error_location

POLL_SECONDS = 0.5

THREADS = 8
"""Maximum number of events that a process plans at a time."""

WINDOW = 500
"""Unfinished events that are looked at, nearest decision first."""

INTAKE_SHARE = 1 / 3
"""Share of the time from arrival to decision that is left to intake."""

LEASE_SECONDS = 10.0
"""How long one process may take to plan an event, before it is tried again."""

MAX_TAKEOVERS = 3

log = structlog.get_logger()


class Takeover:
    """The events that this process is planning.

    Args:
        services: of this process.
        pool: runs up to THREADS of them.
    """

    def __init__(self, services: Services, pool: ThreadPoolExecutor) -> None:
        self._services = services
        self._pool = pool
        self._running: set[Future[None]] = set()

    def take_due(self) -> None:
        """Start to plan unplanned events whose time for intake is over, as far as threads are free."""
        ledger, now = self._services.ledger, clock.now()
        oldest = ledger.oldest_unplanned()
        metrics.UNPLANNED_SECONDS.set(now - (oldest or now))
        if oldest is None:
            return
        self._running = {future for future in self._running if not future.done()}
        for event in ledger.unplanned(WINDOW):
            if len(self._running) >= THREADS:
                return
            if is_due(event, now) and ledger.take_over(event.message_id, LEASE_SECONDS, MAX_TAKEOVERS):
                self._running.add(self._pool.submit(_plan_guarded, self._services, event.message_id))


def run(services: Services, stop: threading.Event) -> None:
    """Plan what intake has not until `stop` is set."""
    with ThreadPoolExecutor(THREADS, "takeover") as pool:
        takeover = Takeover(services, pool)
        run_until_stopped(takeover.take_due, stop, component="takeover", every=POLL_SECONDS)


def is_due(event: UnplannedEvent, now: float) -> bool:
    """Whether the time left to intake is over."""
    return now >= event.waiting_since + INTAKE_SHARE * (event.watch_at - event.waiting_since)


def _plan_guarded(services: Services, message_id: str) -> None:
    with structlog.contextvars.bound_contextvars(message_id=message_id):
        try:
            with progress.step(may_wait=True):
                _plan(services, message_id)
        except TRANSIENT_ERRORS as error:
            log.warning("takeover_interrupted", error=type(error).__name__)
        except Exception as error:  # noqa: BLE001 - one event must not stop the others
            log.error("takeover_failed", error=type(error).__name__, at=error_location(error))


def _plan(services: Services, message_id: str) -> None:
    record = services.ledger.get(message_id)
    if record is None or record.interruptions:
        return  # intake plans an event alone that may have ended a process
    log.warning("event_taken_over", event_code=record.event.event_code)
    metrics.TAKEN_OVER.labels(record.event.event_code).inc()
    advance(services, record)
