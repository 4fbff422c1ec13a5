"""Answers every event whose deadline is near: polls the deadlines in the ledger and leases what is due.

Any number of watchdogs may run: when one dies, its leases expire and another one takes over. It posts by
itself, so it needs neither the broker nor a free worker.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import structlog

from common import clock
from common.ledger import EventRecord
from workers import metrics, progress, reporter
from workers.dataworks.errors import Busy, DataWorksError
from workers.notifications.notification import dead_event
from workers.recovery.engine_loop import run_until_stopped
from workers.services import Services
from workers.task_base import TRANSIENT_ERRORS, error_location

POLL_SECONDS = 0.1

IDLE_SECONDS = 0.5
"""Interval while no event is due. The shortest margin is four times as long."""

LEASE_SECONDS = 1.0
"""An event that could not be answered is due again after this time.

The shortest margin is 2 seconds: if the process that leased it dies, another one still has one.
"""

BUSY_SECONDS = 0.25
"""An event whose post was refused, since too many posts are in progress, is due again after this time.

It does not wait for the end of its lease, so that it is not late only because others were faster.
"""

REFUSED_SECONDS = 0.05
"""How long the thread of a refused post stays idle.

Without it, the tries of a long backlog would take the CPU time of the posts that are sent.
"""

THREADS = 32
"""Events that are decided at a time; half of them may be posts of one operation (`Bulkheads`)."""

WAIT_SECONDS = 1.0
"""How long to wait for a free thread before the next look at the time."""

log = structlog.get_logger()


def run(services: Services, stop: threading.Event) -> None:
    """Answer due events until `stop` is set; faults of Redis are retried."""
    running: set[Future[None]] = set()
    with ThreadPoolExecutor(THREADS, "watchdog") as pool:

        def step() -> None:
            """Lease what is due, nearest deadline first, but no more than there are free threads."""
            while not stop.is_set():
                running.difference_update([future for future in running if future.done()])
                free = THREADS - len(running)
                if free:
                    due, following = services.ledger.lease_due(LEASE_SECONDS, free)
                    running.update(pool.submit(_handle_guarded, services, message_id) for message_id in due)
                    if len(due) < free:
                        idle = IDLE_SECONDS if following is None else min(following, IDLE_SECONDS)
                        stop.wait(idle - POLL_SECONDS)
                        return
                wait(running, WAIT_SECONDS, FIRST_COMPLETED)
                progress.mark()

        run_until_stopped(step, stop, component="watchdog", every=POLL_SECONDS)


def _handle_guarded(services: Services, message_id: str) -> None:
    with structlog.contextvars.bound_contextvars(message_id=message_id):
        try:
            with progress.step(may_wait=True):
                handle_due(services, message_id)
        except Exception as error:  # noqa: BLE001 - one event must not stop the watch over the others
            log.error("due_event_failed", error=type(error).__name__, at=error_location(error))
            _bury_undecidable(services, message_id, error)


def _bury_undecidable(services: Services, message_id: str, error: Exception) -> None:
    """Mark an event dead whose deadline has passed and that cannot be decided: it breaks its planning."""
    if isinstance(error, TRANSIENT_ERRORS):
        return
    try:
        record = services.ledger.get(message_id)
        if record and clock.now() >= record.deadline_at:
            mark_dead(services, record, f"it cannot be decided: {type(error).__name__}")
    except Exception as fault:  # noqa: BLE001 - the event is due again
        log.error("due_event_failed", error=type(fault).__name__, at=error_location(fault))


def handle_due(services: Services, message_id: str) -> None:
    """Answer one due event; mark it dead if its deadline has passed and it cannot be answered."""
    record = services.ledger.get(message_id)
    if record is None or record.state.is_final:
        services.ledger.unschedule(message_id)
        return
    try:
        if record.accepted_verdict is None:
            # Before the event is leased and decided, which has a price for each try.
            services.dataworks.await_room_to_post(record.event.point.result_operation, seconds=LEASE_SECONDS)
        takeover_after = reporter.takeover_seconds(record)
        reporter.decide_and_post(services, message_id, due=True, takeover_after=takeover_after)
    except DataWorksError as error:
        log.warning("verdict_post_failed", error=str(error))
        if clock.now() >= record.deadline_at:
            mark_dead(services, record, str(error))
        elif isinstance(error, Busy):
            services.ledger.make_due(message_id, BUSY_SECONDS)
            time.sleep(REFUSED_SECONDS)


def mark_dead(services: Services, record: EventRecord, reason: str) -> None:
    """Mark an event dead, count it and log an error: a person waits for it."""
    if services.ledger.mark_dead(record.event.message_id, reason, record):
        metrics.DEAD.labels(record.event.event_code).inc()
        event = record.event
        log.error("event_dead", event_code=event.event_code, project_id=event.project_id, reason=reason)
        services.notifications.add(dead_event(record, reason))
