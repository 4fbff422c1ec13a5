"""Brings events into the ledger, plans their checks and sends them out; safe to repeat at any point."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import structlog

from common.events import Event
from common.ledger import EventRecord, StartedAttempt, State
from common.plan import Plan
from common.snapshot import Snapshot
from common.verdicts import Outcome
from workers import check_execution, metrics
from workers.checks.api import Runs
from workers.dataworks.errors import DataWorksError, Permanent
from workers.pipeline import planner
from workers.reporter import INLINE_BUDGET
from workers.services import Services
from workers.task_base import TRANSIENT_ERRORS

BATCH_TIME_BUDGET = 2.0
"""When going on with the events of one message takes longer, the rest is spread over the workers."""

REQUEUE_BATCH = 4
"""Events in a message of what is spread: each message has its price."""

MAX_DELIVERIES = 10
"""Deliveries of one run after which its checks are not begun again: something in it kills workers."""

log = structlog.get_logger()


def process_events(services: Services, events: Sequence[Event]) -> tuple[list[Event], Exception | None]:
    """Take on events that came in one message. All are admitted, and so watched, before any is gone on with.

    Returns:
        The events that a transient fault held up, to be tried again, and that fault.

    Raises:
        Exception: a fault of Redis or the broker before all were admitted; nothing is lost by trying again.
    """
    records = admit(services, events)
    spread_at = time.monotonic() + BATCH_TIME_BUDGET
    left: list[Event] = []
    fault: Exception | None = None
    for number, record in enumerate(records):
        if number and time.monotonic() > spread_at:
            _requeue_rest(services, [later.event for later in records[number:]])
            break
        with structlog.contextvars.bound_contextvars(message_id=record.event.message_id):
            try:
                advance(services, record)
            except TRANSIENT_ERRORS as error:
                left.append(record.event)
                fault = error
    return left, fault


def _requeue_rest(services: Services, events: Sequence[Event]) -> None:
    for first in range(0, len(events), REQUEUE_BATCH):
        services.dispatch.send_events(*events[first : first + REQUEUE_BATCH])


def admit(services: Services, events: Sequence[Event]) -> list[EventRecord]:
    """Bring events into the ledger, each once, and have them watched."""
    policy = services.policy
    admitted = services.ledger.admit_all([(event, *planner.deadline_for(event, policy)) for event in events])
    for fresh, record in admitted:
        if fresh:
            event = record.event
            log.info(
                "admitted",
                message_id=event.message_id,
                event_code=event.event_code,
                project_id=event.project_id,
            )
    return [record for _, record in admitted]


def advance(services: Services, record: EventRecord) -> None:
    """Plan an admitted event once, and send out every check whose outcome is missing.

    Raises:
        Transient: DataWorks could not be asked for the snapshot; also Redis' and the broker's faults.
    """
    event = record.event
    if record.state is State.RECEIVED:
        if event.blocking is False and _is_notification(services, event, record.deadline_at):
            services.ledger.mark_ignored(event.message_id, "a notification: no operation waits for it")
        else:
            _build_plan(services, record)
    elif record.state is State.CHECKING and record.deliveries <= MAX_DELIVERIES:
        _send(services, record, record.pending_checks)
    elif record.state is State.DECIDED:
        services.reports.enqueue(event.message_id, record.run)


def _is_notification(services: Services, event: Event, deadline: float) -> bool:
    # DataWorks sends some operations twice: to extensions, and as a plain notification with its own id.
    # `blockBusiness: false` is on both in published samples, so only DataWorks can tell them apart.
    try:
        return not services.dataworks.check_processes(
            event.event_code, project_id=event.project_id, message_id=event.message_id, deadline=deadline
        )
    except DataWorksError as error:
        log.warning("process-unknown", error=error.code)
        return False


def _build_plan(services: Services, record: EventRecord) -> None:
    event, policy = record.event, services.policy
    administered = services.extension_settings.for_workspace(event.project_id, options=bool(policy.console))
    snapshot, missing = None, None
    needs_subject = planner.needs_subject(event, policy, administered)
    if needs_subject:
        snapshot, missing = _snapshot(services, record)
    planned = planner.build_plan(event, policy, services.checks, snapshot, administered)
    if not needs_subject and planner.needs_snapshot(planned, services.checks):
        snapshot, missing = _snapshot(services, record)
    _log_plan_notes(planned)
    outcomes = planner.unrunnable_outcomes(event, planned, services.checks, missing)
    outcomes |= _run_inline(services, record, planned, snapshot, outcomes)
    content = snapshot.to_json() if snapshot else None
    names = [item.name for item in planned.checks if item.name not in outcomes]
    here = _pick_local_check(services, names)
    if services.ledger.save_plan(event.message_id, record.run, planned, content, outcomes, start_checks=here):
        others = [name for name in names if name != here]
        if here is None or others:
            _send(services, record, others)
        if here:
            _run_locally(services, StartedAttempt({here: 1}, replace(record, plan=planned), content), here)
    elif raced := services.ledger.get(event.message_id):
        _send(services, raced, raced.pending_checks)


def _pick_local_check(services: Services, names: Sequence[str]) -> str | None:
    """Return the last check that waits, when this process is made for waiting: one task less."""
    waiting = [name for name in names if _pool_of(services, name) is Runs.IO]
    return waiting[-1] if waiting and services.is_io_pool else None


def _run_locally(services: Services, started_attempt: StartedAttempt, name: str) -> None:
    """Run a check on the spot. A fault, or an answer that takes its time, leaves it to the queue."""
    record = started_attempt.record
    try:
        check_execution.execute(
            services,
            record.event.message_id,
            record.run,
            [name],
            record.watch_at,
            started_attempt=started_attempt,
            seconds=INLINE_BUDGET,
        )
    except TRANSIENT_ERRORS as error:
        log.info("not-checked-here", check=name, error=type(error).__name__)
        _send(services, record, [name])


def _log_plan_notes(planned: Plan) -> None:
    if planned.disabled_reason:
        log.info("switched-off", why=planned.disabled_reason)
    if planned.ignored_options:
        metrics.OPTIONS_IGNORED.inc(len(planned.ignored_options))
        log.warning("console-options-ignored", why=planned.ignored_options)


def _snapshot(services: Services, record: EventRecord) -> tuple[Snapshot | None, str | None]:
    event = record.event
    if not event.point.has_snapshot or event.project_id is None:
        return None, "DataWorks keeps no detail of such an operation"
    try:
        return services.dataworks.event_detail(
            event.message_id, event.project_id, deadline=record.deadline_at
        ), None
    except Permanent as error:
        return None, f"DataWorks refused the operation's detail: {error.code}"


def _run_inline(
    services: Services,
    record: EventRecord,
    planned: Plan,
    snapshot: Snapshot | None,
    done: dict[str, Outcome],
) -> dict[str, Outcome]:
    runner = services.check_runner(record.event, snapshot, planned.language, record.deadline_at)
    outcomes = {}
    for item in planner.inline_checks(planned, services.checks):
        if item.name not in done:
            outcomes[item.name] = runner.run(services.checks[item.name], item)
            check_execution.note_outcome(item.name, outcomes[item.name])
    return outcomes


def _send(services: Services, record: EventRecord, names: Sequence[str]) -> None:
    """Send checks out, those that compute in one message; when there are none, all is in, and is reported."""
    event, deadline = record.event, record.watch_at
    computing = [name for name in names if _pool_of(services, name) is Runs.CPU]
    if computing:
        services.dispatch.send_checks(event.message_id, record.run, computing, Runs.CPU, deadline)
    for name in names:
        if name not in computing:
            services.dispatch.send_checks(event.message_id, record.run, [name], Runs.IO, deadline)
    if not names:
        services.reports.finish(event.message_id, record.run)


def _pool_of(services: Services, name: str) -> Runs:
    check = services.checks.get(name)
    return check.runs if check and check.runs is not Runs.INLINE else Runs.IO
