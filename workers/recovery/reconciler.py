"""Queries DataWorks for waiting operations, and admits those whose event never arrived.

EventBridge's default retry ends after about a minute; without the reconciler, an operation whose event was
lost would remain in Checking.
"""

from __future__ import annotations

import threading
import time

import structlog

from common.events import Event
from common.extension_points import BY_CODE
from common.ledger import EventRecord, State
from workers import metrics, reporter
from workers.dataworks.models import CheckProcess, ProcessStatus
from workers.intake import admit, advance
from workers.recovery.engine_loop import run_until_stopped
from workers.services import Services

WAIVER_WARNING_SECONDS = 86400.0
"""Seconds between two log warnings about waivers that expire soon."""

CALL_SECONDS = 20.0
"""Timeout of one query, in seconds."""

log = structlog.get_logger()


def run(services: Services, stop: threading.Event) -> None:
    """Sweep every `reconcile_seconds` until `stop` is set, in one process of the fleet at a time."""
    every = services.settings.reconcile_seconds

    def step() -> None:
        if services.ledger.membership.try_lead("reconciler", every):
            sweep(services)
        if services.ledger.membership.try_lead("waivers", WAIVER_WARNING_SECONDS):
            warn_expiring_waivers(services, time.time())

    run_until_stopped(step, stop, component="reconciler", every=min(every, 5.0), pause=0)


def sweep(services: Services) -> None:
    """Query every extension point once for waiting operations, and recover those without an event."""
    for code in BY_CODE:
        deadline = time.time() + CALL_SECONDS
        waiting = services.dataworks.check_processes(code, status=ProcessStatus.CHECKING, deadline=deadline)
        for process in waiting:
            with structlog.contextvars.bound_contextvars(message_id=process.message_id):
                _recover(services, process)


def warn_expiring_waivers(services: Services, now: float) -> None:
    """Log waivers that expire soon, after which their findings count again."""
    for waiver in services.waivers.expiring(now):
        log.warning("waiver_expiring", id=waiver.id, owner=waiver.owner, at=waiver.expires_at.isoformat())


def _recover(services: Services, process: CheckProcess) -> None:
    # Only if seen in an earlier sweep: an event that is still on its way gets time to arrive.
    if not services.ledger.seen_at_least_ago(process.message_id, services.settings.reconcile_seconds * 0.9):
        return
    record = services.ledger.get(process.message_id)
    if record is None:
        _admit(services, process)
    elif record.state is State.DEAD:
        _report_dead(services, record)


def _admit(services: Services, process: CheckProcess) -> None:
    deadline = time.time() + CALL_SECONDS
    if process.project_id is not None and not services.dataworks.enabled_extensions(
        process.event_code, process.project_id, deadline=deadline
    ):
        return
    log.warning("event_recovered", event_code=process.event_code, project_id=process.project_id)
    metrics.RECOVERED.labels(process.event_code).inc()
    event = Event(
        message_id=process.message_id,
        event_code=process.event_code,
        project_id=process.project_id,
        operator=process.operator,
        blocking=None,
        data={},
        received_at=time.time(),
        recovered=True,
    )
    advance(services, *admit(services, [event]))


def _report_dead(services: Services, record: EventRecord) -> None:
    log.warning("dead_event_retried", event_code=record.event.event_code)
    reporter.decide_and_post(services, record.event.message_id, due=True)
