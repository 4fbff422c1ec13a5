"""Brings events into the ledger, plans their checks and sends them out; safe to repeat at any point."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import structlog

from common.events import Event
from common.ledger import Begun, Record, State
from common.plan import Plan
from common.snapshot import Snapshot
from common.verdicts import Outcome
from workers import check_execution, metrics
from workers.checks.api import Runs
from workers.dataworks.errors import DataWorksError, Final
from workers.pipeline import planner
from workers.reporter import INLINE_BUDGET
from workers.services import Services
from workers.task_base import TRANSIENT

SPREAD_SECONDS = 2.0
"""When going on with the events of one message takes longer, the rest is spread over the workers."""

SHARE = 4
"""Events in a message of what is spread: each message has its price."""

MOST_DELIVERIES = 10
"""Deliveries of one run after which its checks are not begun again: something in it kills workers."""

log = structlog.get_logger()


def take_on(services: Services, events: Sequence[Event]) -> tuple[list[Event], Exception | None]:
    """Take on events that came in one message. All are admitted, and so watched, before any is gone on with.

    Returns:
        The events that a transient fault held up, to be tried again, and that fault.

    Raises:
        Exception: a fault of Redis or the broker before all were admitted; nothing is lost by trying again.
    """
    records = admit(services, events)
    spread_at = time.monotonic() + SPREAD_SECONDS
    left: list[Event] = []
    fault: Exception | None = None
    for number, record in enumerate(records):
        if number and time.monotonic() > spread_at:
            _spread(services, [later.event for later in records[number:]])
            break
        with structlog.contextvars.bound_contextvars(message_id=record.event.message_id):
            try:
                go_on(services, record)
            except TRANSIENT as error:
                left.append(record.event)
                fault = error
    return left, fault


def _spread(services: Services, events: Sequence[Event]) -> None:
    for first in range(0, len(events), SHARE):
        services.dispatch.intake(*events[first : first + SHARE])


def admit(services: Services, events: Sequence[Event]) -> list[Record]:
    """Bring events into the ledger, each once, and have them watched."""
    policy = services.policy
    admitted = services.ledger.admit_all([(event, *planner.deadline(event, policy)) for event in events])
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


def go_on(services: Services, record: Record) -> None:
    """Plan an admitted event once, and send out every check whose outcome is missing.

    Raises:
        Transient: DataWorks could not be asked for the snapshot; also Redis' and the broker's faults.
    """
    event = record.event
    if record.state is State.RECEIVED:
        if event.blocking is False and _nobody_waits(services, event, record.deadline_at):
            services.ledger.ignore(event.message_id, "a notification: no operation waits for it")
        else:
            _plan(services, record)
    elif record.state is State.CHECKING and record.deliveries <= MOST_DELIVERIES:
        _send(services, record, record.missing)
    elif record.state is State.DECIDED:
        services.reports.enqueue(event.message_id, record.run)


def _nobody_waits(services: Services, event: Event, until: float) -> bool:
    # DataWorks sends some operations twice: to extensions, and as a plain notification with its own id.
    # `blockBusiness: false` is on both in published samples, so only DataWorks can tell them apart.
    try:
        return not services.dataworks.check_processes(
            event.event_code, project_id=event.project_id, message_id=event.message_id, until=until
        )
    except DataWorksError as error:
        log.warning("process-unknown", error=error.code)
        return False


def _plan(services: Services, record: Record) -> None:
    event, policy = record.event, services.policy
    administered = services.administration.of(event.project_id, options=bool(policy.console))
    snapshot, missing = None, None
    needs_subject = planner.needs_subject(event, policy, administered)
    if needs_subject:
        snapshot, missing = _snapshot(services, record)
    planned = planner.plan(event, policy, services.checks, snapshot, administered)
    if not needs_subject and planner.needs_snapshot(planned, services.checks):
        snapshot, missing = _snapshot(services, record)
    _tell(planned)
    outcomes = planner.unrunnable_outcomes(event, planned, services.checks, missing)
    outcomes |= _inline(services, record, planned, snapshot, outcomes)
    content = snapshot.to_json() if snapshot else None
    names = [item.name for item in planned.checks if item.name not in outcomes]
    here = _asked_here(services, names)
    if services.ledger.plan(event.message_id, record.run, planned, content, outcomes, begin=here):
        others = [name for name in names if name != here]
        if here is None or others:
            _send(services, record, others)
        if here:
            _check_here(services, Begun({here: 1}, replace(record, plan=planned), content), here)
    elif raced := services.ledger.get(event.message_id):
        _send(services, raced, raced.missing)


def _asked_here(services: Services, names: Sequence[str]) -> str | None:
    """Return the last check that waits, when this process is made for waiting: one task less."""
    waiting = [name for name in names if _runs(services, name) is Runs.WAITING]
    return waiting[-1] if waiting and services.may_wait else None


def _check_here(services: Services, begun: Begun, name: str) -> None:
    """Run a check on the spot. A fault, or an answer that takes its time, leaves it to the queue."""
    record = begun.record
    try:
        check_execution.check(
            services,
            record.event.message_id,
            record.run,
            [name],
            record.watch_at,
            begun=begun,
            seconds=INLINE_BUDGET,
        )
    except TRANSIENT as error:
        log.info("not-checked-here", check=name, error=type(error).__name__)
        _send(services, record, [name])


def _tell(planned: Plan) -> None:
    if planned.off:
        log.info("switched-off", why=planned.off)
    if planned.ignored:
        metrics.OPTIONS_IGNORED.inc(len(planned.ignored))
        log.warning("console-options-ignored", why=planned.ignored)


def _snapshot(services: Services, record: Record) -> tuple[Snapshot | None, str | None]:
    event = record.event
    if not event.point.snapshot or event.project_id is None:
        return None, "DataWorks keeps no detail of such an operation"
    try:
        return services.dataworks.event_detail(
            event.message_id, event.project_id, until=record.deadline_at
        ), None
    except Final as error:
        return None, f"DataWorks refused the operation's detail: {error.code}"


def _inline(
    services: Services, record: Record, planned: Plan, snapshot: Snapshot | None, done: dict[str, Outcome]
) -> dict[str, Outcome]:
    runner = services.check_runner(record.event, snapshot, planned.language, record.deadline_at)
    outcomes = {}
    for item in planner.inline_checks(planned, services.checks):
        if item.name not in done:
            outcomes[item.name] = runner.run(services.checks[item.name], item)
            check_execution.note_outcome(item.name, outcomes[item.name])
    return outcomes


def _send(services: Services, record: Record, names: Sequence[str]) -> None:
    """Send checks out, those that compute in one message; when there are none, all is in, and is reported."""
    event, deadline = record.event, record.watch_at
    computing = [name for name in names if _runs(services, name) is Runs.CPU]
    if computing:
        services.dispatch.check(event.message_id, record.run, computing, Runs.CPU, deadline)
    for name in names:
        if name not in computing:
            services.dispatch.check(event.message_id, record.run, [name], Runs.WAITING, deadline)
    if not names:
        services.reports.finish(event.message_id, record.run)


def _runs(services: Services, name: str) -> Runs:
    check = services.checks.get(name)
    return check.runs if check and check.runs is not Runs.INLINE else Runs.WAITING
