"""Brings events into the ledger, plans their checks and sends them out; safe to repeat at any point."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from functools import partial

import structlog

from common import clock, tracing
from common.events import Event
from common.ledger import EventRecord, StartedAttempt, State
from common.plan import Plan
from common.snapshot import Snapshot
from common.subjects.event_subject import items_of
from common.subjects.operation_target import target_of
from common.text.i18n import Text
from common.verdicts import Outcome
from workers import check_execution, metrics, progress
from workers.checks.api import Runs
from workers.dataworks.errors import DataWorksError, Permanent
from workers.pipeline import planner
from workers.reporter import INLINE_BUDGET
from workers.services import Services
from workers.task_base import TRANSIENT_ERRORS, error_location
from workers.task_events import CheckEnd

BATCH_TIME_BUDGET = 2.0
"""Seconds in which the events of one message start; the rest is then requeued for other workers."""

REQUEUE_BATCH = 4
"""Events per requeued message, since each message has a fixed cost."""

MAX_DELIVERIES = 10
"""Deliveries of one run after which its checks are no longer started: something in it kills workers."""

MAX_INTERRUPTIONS = 3
"""Ends of its process during the planning of an event, after which it is not planned again."""

PLANNING_FAILED = Text("planning the event failed with {cause}", "规划该事件时出错：{cause}")
PLANNING_CRASHED = Text(
    "planning the event ended its process {cause} times", "规划该事件已 {cause} 次使进程崩溃"
)

log = structlog.get_logger()


def process_events(
    services: Services, events: Sequence[Event], *, is_redelivery: bool = False
) -> tuple[list[Event], Exception | None]:
    """Process the events of one message. All are admitted, and so watched, before any is planned.

    Those with the earliest deadline are planned first, several at a time; under load they are only enqueued
    for that.

    The events of a message share no fate: after an exception or the end of a process, each gets a message of
    its own.

    Args:
        services: of this process.
        events: the events.
        is_redelivery: whether an earlier delivery of the message may have ended its process.

    Returns:
        The events to retry because of a transient fault, and that fault.

    Raises:
        Exception: a fault of Redis or the broker before all were admitted; the message can be retried safely.
            Or the only event of the message can be neither planned nor answered.
    """
    records = _admit_guarded(services, events, is_redelivery=is_redelivery)
    if records is None or (is_redelivery and len(events) > 1):
        _send_alone(services, events)
        return [], None
    records.sort(key=lambda record: record.watch_at)
    if not is_redelivery and services.plans.defer(records):
        return [], None
    batch = _Batch(services, records, is_single=len(events) == 1)
    services.spare_threads.run(batch.process, records)
    _requeue_rest(services, batch.not_started)
    return batch.unfinished, batch.fault


class _Batch:
    """The events of one message, processed by several threads.

    Attributes:
        not_started: events that no thread has started in time; other workers may have a free one.
        unfinished: events to retry because of a transient fault.
        fault: such a fault.
    """

    def __init__(self, services: Services, records: Sequence[EventRecord], *, is_single: bool) -> None:
        self._services = services
        self._first = records[0] if records else None
        self._is_single = is_single
        self._ends_at = time.monotonic() + BATCH_TIME_BUDGET
        self.not_started: list[Event] = []
        self.unfinished: list[Event] = []
        self.fault: Exception | None = None

    def process(self, record: EventRecord) -> None:
        """Process one of the events.

        Raises:
            Exception: it can be neither planned nor answered.
        """
        if record is not self._first and time.monotonic() > self._ends_at:
            self.not_started.append(record.event)
            return
        with (
            structlog.contextvars.bound_contextvars(message_id=record.event.message_id),
            tracing.event_scope(record.event, record.run),
        ):
            try:
                _advance_guarded(self._services, record)
            except TRANSIENT_ERRORS as error:
                self.unfinished.append(record.event)
                self.fault = error
            except Exception as error:  # noqa: BLE001 - the others of the message must not wait
                log.error("planning_failed", error=type(error).__name__, at=error_location(error))
                if self._is_single:
                    _answer_unplanned(self._services, record, PLANNING_FAILED, type(error).__name__)
                else:
                    _send_alone(self._services, [record.event])


def plan_waiting(services: Services, owner: str, *, is_redelivery: bool = False) -> None:
    """Plan events of the plan queue for a while; another token continues.

    Args:
        services: of this process.
        owner: id of the token.
        is_redelivery: whether an earlier delivery of the token may have ended its process.
    """
    if services.plans.serve(partial(_plan_leased, services), owner, is_redelivery=is_redelivery):
        services.dispatch.plan_token()


def _plan_leased(services: Services, record: EventRecord, is_takeover: bool) -> None:
    if is_takeover:
        _note_interruption(services, [record])
        record = services.ledger.get(record.event.message_id) or record
    try:
        _advance_guarded(services, record)
    except TRANSIENT_ERRORS:
        raise
    except Exception as error:  # noqa: BLE001 - the others must not wait
        log.error("planning_failed", error=type(error).__name__, at=error_location(error))
        _answer_unplanned(services, record, PLANNING_FAILED, type(error).__name__)


def _admit_guarded(
    services: Services, events: Sequence[Event], *, is_redelivery: bool
) -> list[EventRecord] | None:
    """Admit the events of a message; return None if one of several prevents that.

    Raises:
        Exception: a transient fault, or the only event cannot be admitted.
    """
    try:
        records = admit(services, events)
        if is_redelivery:
            _note_interruption(services, records)
    except TRANSIENT_ERRORS:
        raise
    except Exception as error:
        if len(events) == 1:
            raise
        log.error("events_separated", error=type(error).__name__, at=error_location(error))
        return None
    return records


def _send_alone(services: Services, events: Sequence[Event]) -> None:
    for event in events:
        services.dispatch.send_events(event)


def _note_interruption(services: Services, records: Sequence[EventRecord]) -> None:
    """Record that the process of an earlier delivery may have ended while it planned one of the events."""
    for record in records:
        if record.state is State.RECEIVED and not record.interruptions:
            services.ledger.start_planning_alone(record.event.message_id)


def _advance_guarded(services: Services, record: EventRecord) -> None:
    """Advance an event; alone in this process if it may have ended a process before."""
    if not record.interruptions or record.state is not State.RECEIVED:
        advance(services, record)
        return
    # The others that ended with the process wait here: only this event may be the cause of the next end.
    with services.alone:
        message_id = record.event.message_id
        if services.ledger.start_planning_alone(message_id) > MAX_INTERRUPTIONS:
            log.error("planning_ends_processes", event_code=record.event.event_code)
            _answer_unplanned(services, record, PLANNING_CRASHED, MAX_INTERRUPTIONS)
            return
        try:
            advance(services, record)
        finally:
            services.ledger.end_planning_alone(message_id)


def _answer_unplanned(services: Services, record: EventRecord, reason: Text, cause: object) -> None:
    """Give every check of an event the outcome of a check that its input broke, and finish the event."""
    event = record.event
    planned = planner.build_plan(event, services.policy, services.checks)
    detail = reason.in_language(planned.language).format(cause=cause)
    outcomes = {
        item.name: check_execution.broken_outcome(services.checks.get(item.name), detail)
        for item in planned.checks
    }
    if services.ledger.save_plan(event.message_id, record.run, planned, None, outcomes):
        for item in planned.checks:
            check_execution.note_outcome(item, outcomes[item.name], services.checks.get(item.name))
        services.reports.finish(event.message_id, record.run)


def _requeue_rest(services: Services, events: Sequence[Event]) -> None:
    for first in range(0, len(events), REQUEUE_BATCH):
        services.dispatch.send_events(*events[first : first + REQUEUE_BATCH])


def admit(services: Services, events: Sequence[Event]) -> list[EventRecord]:
    """Admit events to the ledger, each once, and schedule them for the watchdog."""
    policy = services.policy
    admitted = services.ledger.admit_all([(event, *planner.deadline_for(event, policy)) for event in events])
    for fresh, record in admitted:
        if fresh:
            event = record.event
            with tracing.event_scope(event, record.run):
                log.info(
                    "event_admitted",
                    message_id=event.message_id,
                    event_code=event.event_code,
                    project_id=event.project_id,
                )
    return [record for _, record in admitted]


def advance(services: Services, record: EventRecord) -> None:
    """Plan an admitted event once, and send every check without an outcome.

    Raises:
        Transient: DataWorks did not return the snapshot; faults of Redis and the broker are raised, too.
    """
    event = record.event
    with tracing.event_scope(event, record.run):
        _record_wait(record)
        with tracing.span("intake", "consumer", run=record.run, **tracing.event_attributes(event)):
            _advance(services, record)


def _record_wait(record: EventRecord) -> None:
    """Record how long an event waited for intake: since its arrival or its requeue."""
    if record.state is not State.RECEIVED or not tracing.is_traced():
        return
    event, now = record.event, clock.now()
    if record.run == 1:
        tracing.record_span("wait for intake", event.received_at, now)
    else:
        requeued_at = record.last_step("requeued") or now
        tracing.record_requeue(event, record.run, requeued_at, now)


def _advance(services: Services, record: EventRecord) -> None:
    event = record.event
    if record.state is State.RECEIVED:
        if ignored := _find_reason_to_ignore(services, record):
            _ignore(services, event, ignored)
        else:
            _build_plan(services, record)
    elif record.state is State.CHECKING and record.deliveries <= MAX_DELIVERIES:
        _send(services, record, record.pending_checks)
    elif record.state is State.DECIDED:
        services.reports.enqueue(event.message_id, record.run)


class IgnoreReason(StrEnum):
    """Why an event needs no verdict; a label of the metrics."""

    NOTIFICATION = "notification"
    NOT_ENABLED = "not_enabled"


_IGNORED_TEXTS = {
    IgnoreReason.NOTIFICATION: "notification: no operation waits for it",
    IgnoreReason.NOT_ENABLED: "the extension is not enabled for this extension point in this workspace",
}
"""Details of the step in the timeline."""


def _ignore(services: Services, event: Event, reason: IgnoreReason) -> None:
    if services.ledger.mark_ignored(event.message_id, _IGNORED_TEXTS[reason]):
        metrics.IGNORED.labels(reason.value).inc()
        log.info(
            "event_ignored",
            event_code=event.event_code,
            project_id=event.project_id,
            reason=reason.value,
        )


def _find_reason_to_ignore(services: Services, record: EventRecord) -> IgnoreReason | None:
    """Return why an event needs no verdict; None if it needs one.

    The reconciler takes up an ignored event that DataWorks later lists as waiting.
    """
    event = record.event
    if record.run > 1:
        return None  # Requeued, since a person or the reconciler found that it waits.
    may_be_notification = event.blocking is False and event.check_process_id is None
    if may_be_notification and _is_notification(services, event, record.deadline_at):
        return IgnoreReason.NOTIFICATION
    if not services.enabled_workspaces.is_enabled(
        event.event_code, event.project_id, known_since=event.received_at
    ):
        return IgnoreReason.NOT_ENABLED
    return None


def _is_notification(services: Services, event: Event, deadline: float) -> bool:
    # DataWorks sends some operations twice: to extensions, and as a plain notification with another id.
    # In published samples both have `blockBusiness: false`. The ID of a check process tells them apart;
    # without one, only a query to DataWorks does.
    try:
        return not services.dataworks.check_processes(
            event.event_code, project_id=event.project_id, message_id=event.message_id, deadline=deadline
        )
    except DataWorksError as error:
        log.warning("check_process_unavailable", error=error.code)
        return False


def _build_plan(services: Services, record: EventRecord) -> None:
    event, policy = record.event, services.policy
    console_settings = services.extension_settings.for_workspace(
        event.project_id, options=bool(policy.console)
    )
    snapshot, missing = None, None
    needs_subject = planner.needs_subject(event, policy, console_settings)
    if needs_subject:
        snapshot, missing = _snapshot(services, record)
    with progress.step(may_wait=False):
        planned = planner.build_plan(event, policy, services.checks, snapshot, console_settings)
    if not needs_subject and planner.needs_snapshot(planned, services.checks):
        snapshot, missing = _snapshot(services, record)
    _log_plan_notes(planned)
    outcomes = planner.unrunnable_outcomes(event, planned, services.checks, missing)
    outcomes |= _run_inline(services, record, planned, snapshot, outcomes)
    content = snapshot.to_json() if snapshot else None
    target = target_of(event, snapshot) if snapshot else None
    names = [item.name for item in planned.checks if item.name not in outcomes]
    local = _pick_local_check(services, names)
    if services.ledger.save_plan(
        event.message_id,
        record.run,
        planned,
        content,
        outcomes,
        start_checks=local,
        target=target,
        subjects=items_of(event, snapshot),
    ):
        others = [name for name in names if name != local]
        if local is None or others:
            _send(services, record, others)
        if local:
            _run_locally(services, StartedAttempt({local: 1}, replace(record, plan=planned), content), local)
    elif raced := services.ledger.get(event.message_id):
        _send(services, raced, raced.pending_checks)


def _pick_local_check(services: Services, names: Sequence[str]) -> str | None:
    """Return the last I/O-bound check to run in this process; None unless this is an I/O process.

    It saves one task.
    """
    if not services.is_io_pool:
        return None
    checks = [services.checks[name] for name in names if name in services.checks]
    io_bound = [check.name for check in checks if check.runs is Runs.IO and services.may_run_inline(check)]
    return io_bound[-1] if io_bound else None


def _run_locally(services: Services, started_attempt: StartedAttempt, name: str) -> None:
    """Run a check in this process; after a transient fault or a slow lookup, send it to its queue instead."""
    record = started_attempt.record
    try:
        ends = check_execution.execute(
            services,
            record.event.message_id,
            record.run,
            [name],
            record.watch_at,
            started_attempt=started_attempt,
            seconds=INLINE_BUDGET,
        )
    except TRANSIENT_ERRORS as error:
        log.info("local_check_deferred", check=name, error=type(error).__name__)
        _send(services, record, [name])
    else:
        services.task_events.show_checks(record.event.message_id, record.run, ends)


def _log_plan_notes(planned: Plan) -> None:
    if planned.disabled_reason:
        log.info("extension_disabled", reason=planned.disabled_reason)
    if planned.ignored_options:
        metrics.OPTIONS_IGNORED.inc(len(planned.ignored_options))
        log.warning("console_options_ignored", reason=planned.ignored_options)


def _snapshot(services: Services, record: EventRecord) -> tuple[Snapshot | None, str | None]:
    event = record.event
    if not event.point.has_snapshot or event.project_id is None:
        return None, "DataWorks has no detail for this kind of operation"
    try:
        snapshot = services.dataworks.event_detail(
            event.message_id, event.project_id, deadline=record.deadline_at
        )
    except Permanent as error:
        return None, f"DataWorks rejected the request for the operation's detail: {error.code}"
    return snapshot, planner.missing_input(event, snapshot)


def _run_inline(
    services: Services,
    record: EventRecord,
    planned: Plan,
    snapshot: Snapshot | None,
    done: dict[str, Outcome],
) -> dict[str, Outcome]:
    runner = services.check_runner(record.event, snapshot, planned.language, record.watch_at)
    outcomes = {}
    for item in planner.inline_checks(planned, services.checks):
        if item.name not in done and services.may_run_inline(services.checks[item.name]):
            check = services.checks[item.name]
            begun = time.perf_counter()
            outcomes[item.name] = outcome = runner.run(check, item)
            took = time.perf_counter() - begun
            check_execution.note_outcome(item, outcome, check, took)
            services.task_events.show_checks(
                record.event.message_id, record.run, [CheckEnd.of(item, outcome, took)]
            )
    return outcomes


def _send(services: Services, record: EventRecord, names: Sequence[str]) -> None:
    """Send checks to their queues, CPU-bound ones in one message; without any left, finish the event."""
    event, deadline = record.event, record.watch_at
    cpu_bound = [name for name in names if _pool_of(services, name) is Runs.CPU]
    if cpu_bound:
        services.dispatch.send_checks(event.message_id, record.run, cpu_bound, Runs.CPU, deadline)
    for name in names:
        if name not in cpu_bound:
            services.dispatch.send_checks(event.message_id, record.run, [name], Runs.IO, deadline)
    if not names:
        services.reports.finish(event.message_id, record.run)


def _pool_of(services: Services, name: str) -> Runs:
    check = services.checks.get(name)
    return check.runs if check and check.runs is not Runs.INLINE else Runs.IO
