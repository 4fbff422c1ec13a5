"""Decides the verdict of an event once and posts exactly that verdict."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import redis
import structlog

from common import clock
from common.extension_points import ResultOperation
from common.i18n import Language, Text
from common.ledger import EventRecord, PendingReport
from common.verdicts import Outcome, OutcomeKind, Reason, Result, Verdict
from workers import metrics, retry
from workers.dataworks.errors import DataWorksError, ReplyLost, RequestRejected, Transient
from workers.dataworks.models import ProcessStatus
from workers.pipeline import planner
from workers.pipeline.decision import decide_verdict
from workers.task_base import MAX_RETRIES, error_location

if TYPE_CHECKING:
    from workers.services import Services  # it holds the router, which posts through this module

POST_SECONDS = 8.0
"""Time budget of one attempt to post, including the wait for the quota."""

INLINE_BUDGET = 2.0
"""Time budget of an inline post or check, in a process that also runs other tasks."""

CALL_RESERVE = 1.5
"""Part of an attempt reserved for the call itself, after the wait for the quota."""

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

TAKEOVER_AFTER = 3.0
"""Near the deadline, age of another reporter's lease after which that reporter counts as dead.

The verdict is frozen, and the new owner first queries DataWorks: at worst the same verdict is posted twice.
"""

LATE_ADMISSION_SECONDS = 25.0
"""An event admitted this long after its arrival may have been answered before the ledger was lost."""

LATE = Text("it did not finish on the slow queue in time", "它未能在慢队列中及时完成")
"""Detail of a check that was moved to the slow queue and had no time to finish there."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Attempt:
    """Result of an attempt to report an event.

    Attributes:
        is_reported: DataWorks has the verdict, and the report is removed from the queue.
        busy_seconds: how long another reporter may still hold the lease; None if no other reporter does.
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
    reports = services.ledger.reports
    idle_until = 0.0
    while True:
        report, idle = reports.lease(
            owner,
            REPORT_LEASE_SECONDS,
            is_redelivery=is_redelivery,
            idle_seconds=IDLE_PROMISE_SECONDS if time.monotonic() < idle_until else 0.0,
        )
        is_redelivery = False
        if report:
            with structlog.contextvars.bound_contextvars(message_id=report.message_id):
                post_leased(services, report)
            if time.monotonic() > limit:
                return True
            idle_until = time.monotonic() + IDLE_SECONDS
        elif idle:
            time.sleep(IDLE_POLL_SECONDS * idle)
        else:
            return False


def post_leased(services: Services, report: PendingReport) -> None:
    """Post a leased report; return it to the queue after a transient fault.

    After a permanent fault, or when a retry would miss the deadline, it is left to the watchdog.

    Raises:
        redis.RedisError: the lease then expires.
    """
    try:
        takeover_after = 0.0 if report.is_takeover else None
        attempt = decide_and_post(services, report.message_id, report.run, takeover_after=takeover_after)
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
            None for TAKEOVER_AFTER if the event is due, else for the whole lease.

    Raises:
        DataWorksError: the verdict was not posted; it stays frozen.
    """
    owner = uuid.uuid4().hex
    if due and takeover_after is None:
        takeover_after = TAKEOVER_AFTER
    lease = services.ledger.acquire_report_lease(
        message_id, owner, LEASE_SECONDS, run, patience=takeover_after
    )
    if lease.record is None:
        return Attempt(busy_seconds=lease.wait)
    record = lease.record
    if not due and record.verdict is None and (record.plan is None or record.pending_checks):
        services.ledger.release_report_lease(message_id, owner)
        return Attempt()
    frozen = services.ledger.freeze_verdict(message_id, owner, record.verdict or decide(services, record))
    if frozen is None:
        return Attempt(busy_seconds=LEASE_SECONDS)
    verdict, post_started = frozen
    query_first = post_started or _is_late_admission(record)
    with services.report_events.as_task(message_id, record.run):
        how = _deliver(services, record, verdict, owner, clock.now() + seconds, query_first=query_first)
        services.ledger.mark_reported(message_id, owner, how)
    _record_metrics(record, verdict, how)
    return Attempt(is_reported=True)


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
        details_url=services.settings.details_url,
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


def _is_late_admission(record: EventRecord) -> bool:
    return record.run == 1 and record.admitted_at - record.event.received_at > LATE_ADMISSION_SECONDS


def _deliver(
    services: Services,
    record: EventRecord,
    verdict: Verdict,
    owner: str,
    deadline: float,
    *,
    query_first: bool,
) -> str:
    """Ensure that DataWorks has the verdict; return how that was established, for the timeline."""
    if record.accepted_verdict:
        return f"rerun {verdict.result}, not posted: {record.accepted_verdict.result} was already accepted"
    if query_first and _is_already_answered(services, record, deadline):
        return "already answered"
    try:
        _post(services, record, verdict, deadline)
    except ReplyLost as error:
        if _is_already_answered(services, record, deadline):
            return "posted, reply lost"
        services.ledger.release_report_lease(record.event.message_id, owner, note=str(error), unposted=False)
        raise
    except DataWorksError as error:
        if isinstance(error, RequestRejected) and _is_already_answered(services, record, deadline):
            return "already answered"
        # Nothing was applied; unless an earlier attempt may have been, the next one need not query first.
        services.ledger.release_report_lease(
            record.event.message_id, owner, note=str(error), unposted=not query_first
        )
        raise
    return "posted"


def _post(services: Services, record: EventRecord, verdict: Verdict, deadline: float) -> None:
    event = record.event
    if event.point.result_operation is ResultOperation.WORKBENCH and verdict.result is Result.WARN:
        # Operation Center has no WARN: the operation continues, and only the ledger has the tip.
        log.info("warn_downgraded", event_code=event.event_code)
    services.dataworks.post_result(
        event.point.result_operation,
        event.message_id,
        verdict.result,
        verdict.tip,
        deadline=deadline,
        quota_deadline=deadline - CALL_RESERVE,
        deadline_at=record.deadline_at,
    )


def _is_already_answered(services: Services, record: EventRecord, deadline: float) -> bool:
    """Whether DataWorks no longer waits for this event; False also if it cannot be queried."""
    event = record.event
    try:
        processes = services.dataworks.check_processes(
            event.event_code, project_id=event.project_id, message_id=event.message_id, deadline=deadline
        )
    except Transient:
        return False
    except DataWorksError as error:
        log.warning("check_process_unavailable", error=error.code)
        return False
    return bool(processes) and all(item.status != ProcessStatus.CHECKING for item in processes)


def _record_metrics(record: EventRecord, verdict: Verdict, how: str) -> None:
    code, now = record.event.event_code, clock.now()
    metrics.VERDICTS.labels(code, verdict.result.value, verdict.reason.value).inc()
    metrics.REPORT_SECONDS.labels(code).observe(now - record.event.received_at)
    late = now > record.deadline_at
    if late:
        metrics.LATE.labels(code).inc()
    log.info("event_reported", event_code=code, result=verdict.result.value, how=how, late=late)
