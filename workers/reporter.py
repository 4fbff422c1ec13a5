"""Decides the verdict of an event once and posts exactly that verdict."""

from __future__ import annotations

import os
import socket
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import redis
import structlog

from common import clock, tracing
from common.ledger import EventRecord, LeaseRequest, MarkResult, PendingReport, ReportLease
from common.text.i18n import Language, Text
from common.verdicts import Outcome, OutcomeKind, Reason, Result, Verdict
from workers import metrics, retry
from workers.dataworks.errors import Transient
from workers.delivery import Delivery, LeaseLost, deliver
from workers.notifications.notification import blocked_operation, rerun_differs
from workers.pipeline import planner
from workers.pipeline.decision import decide_verdict
from workers.task_base import MAX_RETRIES, error_location

if TYPE_CHECKING:
    from workers.services import Services  # it holds the router, which posts through this module

POST_SECONDS = 8.0
"""Time budget of one attempt to post, including the wait for the quota."""

INLINE_BUDGET = 2.0
"""Time budget of an inline post or check, in a process that also runs other tasks."""

SERVE_SECONDS = 5.0
"""Time budget of one token; a new token then continues, so that a stopping worker can stop."""

IDLE_SECONDS = 0.1
"""How long a reporter that has posted stays idle for further reports, which then need no token."""

IDLE_POLL_SECONDS = 0.01
"""Interval at which an idle reporter looks for a report, for each idle reporter of the fleet."""

IDLE_PROMISE_SECONDS = 2 * IDLE_POLL_SECONDS
"""Time in which an idle reporter calls again; twice the interval, for a busy process."""

LEASE_SECONDS = POST_SECONDS + 4.0
"""How long one reporter holds the lease of an event: an attempt plus a query before and after it."""

REPORT_LEASE_SECONDS = LEASE_SECONDS + 1.0
"""How long a report is leased; longer than the lease of its event."""

MAX_TAKEOVER_SECONDS = 3.0
TAKEOVER_SHARE = 0.25
"""Share of an event's margin after which another reporter's lease ends when the event is due, at most
`MAX_TAKEOVER_SECONDS`: that reporter counts as dead, and enough of the margin is left to post.

The verdict is frozen, and the new owner first queries DataWorks: at worst the same verdict is posted twice.
"""

LATE = Text("it did not finish on the slow queue in time", "它未能在慢队列中及时完成")
"""Detail of a check that was moved to the slow queue and had no time to finish there."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Attempt:
    """Result of an attempt to report an event.

    Attributes:
        is_reported: DataWorks has the verdict, and the report is removed from the queue.
        busy_seconds: how long another reporter may still hold the lease, or one that Redis has lost; None if
            no other reporter does.
    """

    is_reported: bool = False
    busy_seconds: float | None = None

    @property
    def is_done(self) -> bool:
        """Whether no further attempt is needed."""
        return self.busy_seconds is None


def post_pending(services: Services, owner: str, *, is_redelivery: bool = False) -> bool:
    """Post pending reports, earliest deadline first, until none is left or SERVE_SECONDS have passed.

    Args:
        services: of this process.
        owner: id of the caller; a redelivered task has the id of its first delivery.
        is_redelivery: whether an earlier delivery may have died with a leased report.

    Returns:
        Whether more reports may be pending.
    """
    limit = time.monotonic() + SERVE_SECONDS
    idle_until = 0.0
    while True:
        report, lease, idle = services.ledger.lease_report(
            owner,
            request_lease(),
            is_redelivery=is_redelivery,
            idle_seconds=IDLE_PROMISE_SECONDS if time.monotonic() < idle_until else 0.0,
        )
        is_redelivery = False
        if report and lease:
            with structlog.contextvars.bound_contextvars(message_id=report.message_id):
                post_leased(services, report, lease)
            if time.monotonic() > limit:
                return True
            idle_until = time.monotonic() + IDLE_SECONDS
        elif idle:
            time.sleep(IDLE_POLL_SECONDS * idle)
        else:
            return False


def request_lease() -> LeaseRequest:
    """Return the leases for one attempt to report an event."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
    return LeaseRequest(owner, LEASE_SECONDS, REPORT_LEASE_SECONDS)


def post_leased(services: Services, report: PendingReport, lease: ReportLease) -> None:
    """Post a leased report, with the lease of its event; return it to the queue after a transient fault.

    After a permanent fault, or when a retry would miss the deadline, it is left to the watchdog.

    Raises:
        redis.RedisError: the lease then expires.
    """
    try:
        attempt = post_with_lease(services, lease)
        if attempt.is_reported:
            return
        seconds = attempt.busy_seconds
    except redis.RedisError:
        raise
    except Exception as error:  # noqa: BLE001 - one verdict must not block the others
        seconds = _retry_after(report, error)
    if seconds is None or clock.now() + seconds >= report.deadline_at:
        services.ledger.reports.remove(report)
    else:
        services.ledger.reports.retry_later(report, seconds)


def _retry_after(report: PendingReport, error: Exception) -> float | None:
    """Return the seconds before a retry; None if a retry cannot help."""
    if not isinstance(error, Transient):
        log.error("report_failed", error=type(error).__name__, at=error_location(error))
        return None
    decision = retry.retry_decision(
        report.attempts, now=clock.now(), deadline=report.deadline_at, max_attempts=MAX_RETRIES
    )
    log.warning("verdict_post_failed", error=error.code, attempts=report.attempts, will_retry=decision.retry)
    return decision.seconds if decision.retry else None


def decide_and_post(
    services: Services,
    message_id: str,
    run: int | None = None,
    *,
    due: bool = False,
    seconds: float = POST_SECONDS,
    takeover_after: float | None = None,
) -> Attempt:
    """Decide the event if it is complete (or `due`), and post its frozen verdict.

    Args:
        services: of this process.
        message_id: the event.
        run: the run to report; None for the current one.
        due: decide with the outcomes so far; for missing ones the policy's `on_timeout` applies.
        seconds: time budget of the post.
        takeover_after: age, in seconds, of another reporter's lease after which that reporter counts as dead;
            None for the whole lease.

    Raises:
        DataWorksError: the verdict was not posted; it stays frozen.
    """
    request = request_lease()
    lease = services.ledger.acquire_report_lease(
        message_id, request.owner, request.seconds, run, patience=takeover_after
    )
    return post_with_lease(services, lease, due=due, seconds=seconds)


def post_inline(services: Services, message_id: str, run: int, lease: ReportLease | None) -> Attempt:
    """Decide and post within `INLINE_BUDGET`, with the caller's lease of the event or one of its own.

    Raises:
        DataWorksError: the verdict was not posted; it stays frozen.
    """
    if lease is None:
        return decide_and_post(services, message_id, run, seconds=INLINE_BUDGET)
    return post_with_lease(services, lease, seconds=INLINE_BUDGET)


def post_with_lease(
    services: Services, lease: ReportLease, *, due: bool = False, seconds: float = POST_SECONDS
) -> Attempt:
    """Decide and post as `decide_and_post` does, with a lease of the event that the caller tried to acquire.

    Raises:
        DataWorksError: the verdict was not posted; it stays frozen.
    """
    if lease.record is None:
        return Attempt(busy_seconds=lease.wait)
    record = lease.record
    with tracing.event_scope(record.event, record.run):
        _record_wait(record)
        with tracing.span(
            "report", "consumer", run=record.run, **tracing.event_attributes(record.event)
        ) as span:
            return _decide_and_post(services, record, lease.owner, span, due=due, seconds=seconds)


def _record_wait(record: EventRecord) -> None:
    """Record how long a complete event waited for this process, from its last outcome."""
    complete_at = record.last_step("checked", "planned")
    if complete_at is not None and not record.pending_checks and tracing.is_traced():
        tracing.record_span("wait for report", complete_at, clock.now())


def _decide_and_post(
    services: Services, record: EventRecord, owner: str, span: tracing.Span, *, due: bool, seconds: float
) -> Attempt:
    """Decide and post, with the lease of the event, within `span`."""
    message_id = record.event.message_id
    if not due and record.verdict is None and (record.plan is None or record.pending_checks):
        services.ledger.release_report_lease(message_id, owner)
        return Attempt()
    frozen = services.ledger.freeze_verdict(message_id, owner, record.verdict or decide(services, record))
    if frozen is None:
        return Attempt(busy_seconds=LEASE_SECONDS)
    span.set(result=frozen.verdict.result.value, reason=frozen.verdict.reason.value)
    if record.accepted_verdict:
        _end_rerun(services, record, frozen.verdict, record.accepted_verdict, owner)
        return Attempt(is_reported=True)
    try:
        with services.task_events.as_report(message_id, record.run, frozen.verdict.result):
            delivery = deliver(services, record, frozen, owner, clock.now() + seconds)
            is_recorded = _mark_reported(services, record, owner, delivery)
    except LeaseLost:
        log.warning("report_lease_lost", event_code=record.event.event_code)
        return Attempt(busy_seconds=LEASE_SECONDS)
    if is_recorded:
        _record_metrics(record, delivery)
        if delivery.verdict.result is Result.FAIL:
            services.notifications.add(blocked_operation(record))
    return Attempt(is_reported=True)


def takeover_seconds(record: EventRecord) -> float:
    """Return the age, in seconds, of another reporter's lease after which a due event is taken over."""
    return min(MAX_TAKEOVER_SECONDS, (record.deadline_at - record.watch_at) * TAKEOVER_SHARE)


def decide(services: Services, record: EventRecord) -> Verdict:
    """Return the verdict of plan and outcomes so far; without a plan, build one from the policy."""
    planned = record.plan or planner.build_plan(record.event, services.policy, services.checks)
    return decide_verdict(
        planned,
        {**record.outcomes, **slow_outcomes(record, planned.language)},
        message_id=record.event.message_id,
        now=clock.now(),
        reason=Reason.DEADLINE if record.pending_checks else None,
        waivers=services.waivers,
        details_link=services.details_link(record.event.message_id),
    )


def slow_outcomes(record: EventRecord, language: Language) -> dict[str, Outcome]:
    """Return outcomes for the checks that were moved to the slow queue and had no time to finish there.

    What moved them is the code, or what else its workspace sent: an author must not gain from it.
    """
    late = [
        name
        for name in record.slow_checks
        if name not in record.outcomes or record.outcomes[name].kind is OutcomeKind.TIMED_OUT
    ]
    return dict.fromkeys(late, Outcome(OutcomeKind.UNREVIEWABLE, detail=LATE.in_language(language)))


def _end_rerun(
    services: Services, record: EventRecord, verdict: Verdict, accepted: Verdict, owner: str
) -> None:
    """End a run after the accepted one: its verdict is recorded, never posted."""
    is_different = verdict.result is not accepted.result
    text = f"{verdict.result}, not posted: {accepted.result} was already accepted"
    if is_different:
        text += "; the results differ"
    event = record.event
    if not services.ledger.mark_rerun(
        event.message_id, owner, record.run, text, is_different=is_different, record=record
    ):
        return
    code, results = event.event_code, {"accepted": accepted.result.value, "result": verdict.result.value}
    metrics.RERUNS.labels(code, results["accepted"], results["result"]).inc()
    if is_different:
        log.warning("rerun_differs", event_code=code, project_id=event.project_id, **results)
        services.notifications.add(rerun_differs(record, accepted, verdict))
    else:
        log.info("rerun_ended", event_code=code, project_id=event.project_id, **results)


def _mark_reported(services: Services, record: EventRecord, owner: str, delivery: Delivery) -> bool:
    """Record what DataWorks accepted; return whether that was unknown before."""
    event, ledger = record.event, services.ledger
    result = ledger.mark_reported(event.message_id, owner, delivery.how, delivery.verdict, record)
    if result is MarkResult.UNKNOWN_EVENT:
        # Redis has lost the event since it was leased. Its copies come again and must find the answer.
        ledger.admit(event, record.deadline_at, record.watch_at)
        result = ledger.mark_reported(event.message_id, owner, delivery.how, delivery.verdict, record)
    return result is MarkResult.RECORDED


def _record_metrics(record: EventRecord, delivery: Delivery) -> None:
    code, verdict = record.event.event_code, delivery.verdict
    metrics.VERDICTS.labels(code, verdict.result.value, verdict.reason.value).inc()
    now = clock.now()
    # The time of an earlier post is unknown; a requeue has a deadline of its own.
    is_timed = delivery.is_posted and record.run == 1
    late = is_timed and now > record.deadline_at
    if is_timed:
        metrics.REPORT_SECONDS.labels(code).observe(now - record.event.received_at)
    if late:
        metrics.LATE.labels(code).inc()
    log.info("event_reported", event_code=code, result=verdict.result.value, how=delivery.how, late=late)
