"""Runs checks of one event and records their outcomes."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from common.i18n import Language, Text
from common.ledger import StartedAttempt
from common.plan import PlannedCheck
from common.snapshot import Snapshot
from common.time_limits import GRACE_SECONDS, REVIEW_SECONDS
from common.verdicts import Outcome, OutcomeKind
from review.suppressions.model import REFUSED, REFUSED_RULE
from workers import metrics, retry
from workers.checks.api import Check, Runs
from workers.dispatch import RECORDING_MARGIN
from workers.pipeline.check_runner import TIME_LIMIT, CheckRunner, describe_fault
from workers.services import Services
from workers.task_base import TRANSIENT_ERRORS

SHARED_SECONDS = 5.0
"""After this time, lookups included, the remaining checks of a message are dispatched individually."""

SHARED_TIME_SHARE = 2 / 3
"""Share of the remaining time that one of several checks in a message may use."""

MIN_SECONDS = 0.5
"""A CPU check is not started with less time left than this."""

NO_TIME = "no time was left when a worker was free"
SLOW_LOOKUPS = "its lookups took too long"
CRASHED = Text("it ended its process {count} times", "它已 {count} 次使进程崩溃")

log = structlog.get_logger()


def execute(
    services: Services,
    message_id: str,
    run: int,
    names: Sequence[str],
    deadline: float,
    *,
    started_attempt: StartedAttempt | None = None,
    seconds: float = math.inf,
) -> None:
    """Run the checks `names` of an event and record their outcomes; with the last one the event is reported.

    Several run one after the other. If they take longer than `SHARED_SECONDS`, or the previous attempt killed
    the process, the remaining checks are dispatched individually, one per message.

    Args:
        services: of this process.
        message_id: the event.
        run: the run of the outcomes; those of an older run are dropped.
        names: the checks.
        deadline: of the outcomes, in seconds since the epoch.
        started_attempt: the attempt, if it is already counted in the ledger.
        seconds: time budget of the lookups; a slower lookup is a transient fault.

    Raises:
        Transient: a lookup failed and can be retried; faults of Redis and the broker are raised, too.
    """
    started_attempt = started_attempt or services.ledger.start_attempts(message_id, run, names)
    batch = _BatchResult()
    if started_attempt is not None:
        batch = _run_sequentially(
            services, started_attempt, deadline, time.time() + seconds, alone=len(names) == 1
        )
    services.reports.record(message_id, run, batch.outcomes)
    _dispatch_individually(services, message_id, run, batch.remaining, deadline)
    if batch.fault:
        raise batch.fault


def _dispatch_individually(
    services: Services, message_id: str, run: int, names: Iterable[str], deadline: float
) -> None:
    for name in names:
        services.dispatch.send_checks(message_id, run, [name], Runs.CPU, deadline)


def on_killed(
    services: Services,
    message_id: str,
    run: int,
    names: Sequence[str],
    deadline: float,
    *,
    by_input: bool,
) -> None:
    """Handle the end of the process that ran checks, at a hard time limit.

    Several are dispatched individually, since any of them may be the cause. One gets its outcome at once, and
    so do several without time for another attempt.

    Args:
        services: of the parent of the killed process.
        message_id: the event.
        run: the run of the outcomes.
        names: the checks of the message.
        deadline: of the outcomes, in seconds since the epoch.
        by_input: whether the time limit of the checks' own work ended it, not that of the whole message.
    """
    if len(names) > 1 and _time_limit(deadline, alone=True) >= MIN_SECONDS:
        _dispatch_individually(services, message_id, run, names, deadline)
        return
    record = services.ledger.get(message_id)
    language = record.plan.language if record and record.plan else Language.ENGLISH
    outcome = (
        Outcome(OutcomeKind.UNREVIEWABLE, detail=TIME_LIMIT.in_language(language))
        if by_input
        else Outcome(OutcomeKind.TIMED_OUT, detail=SLOW_LOOKUPS)
    )
    for name in names:
        note_outcome(name, outcome)
    services.reports.record(message_id, run, dict.fromkeys(names, outcome))


@dataclass(slots=True)
class _BatchResult:
    """Result of running several checks.

    Attributes:
        outcomes: of the checks that finished, by name.
        remaining: checks to dispatch individually.
        fault: a transient fault, after which the checks without outcome are retried.
    """

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    remaining: Sequence[str] = ()
    fault: Exception | None = None


def _run_sequentially(
    services: Services,
    started_attempt: StartedAttempt,
    deadline: float,
    lookups_deadline: float,
    *,
    alone: bool,
) -> _BatchResult:
    done, names = _BatchResult(), [*started_attempt.attempts]
    if len(names) > 1 and max(started_attempt.attempts.values()) > 1:
        done.remaining = names
        return done
    plan = started_attempt.record.plan
    assert plan is not None  # noqa: S101 - only planned checks have attempts
    planned = {item.name: item for item in plan.checks}
    snapshot = Snapshot.from_json(started_attempt.snapshot) if started_attempt.snapshot else None
    runner = services.check_runner(
        started_attempt.record.event, snapshot, plan.language, deadline, lookups_deadline
    )
    started = time.monotonic()
    for number, name in enumerate(names):
        seconds = _time_limit(deadline, alone=alone)
        try:
            outcome = _attempt(
                services,
                runner,
                planned[name],
                started_attempt.attempts[name],
                deadline,
                seconds,
                plan.language,
            )
        except TRANSIENT_ERRORS as error:
            done.fault = error
            continue
        done.outcomes[name] = outcome
        note_outcome(name, outcome)
        if time.monotonic() - started > SHARED_SECONDS:
            # Each of the others may stall on the same input: other events get their turn in between.
            done.remaining = names[number + 1 :]
            break
    return done


def _time_limit(deadline: float, *, alone: bool) -> float:
    """Return the seconds that a check may work now: `REVIEW_SECONDS`, or less if the deadline is near."""
    left = deadline - RECORDING_MARGIN - GRACE_SECONDS - time.time()
    return min(REVIEW_SECONDS, left if alone else left * SHARED_TIME_SHARE)


def note_outcome(check: str, outcome: Outcome) -> None:
    """Count an outcome with its waived and suppressed findings, and log a check that failed."""
    metrics.CHECKS.labels(check, outcome.kind.value).inc()
    for finding in outcome.findings:
        if finding.suppressed is not None:
            metrics.SUPPRESSED.labels(metrics.rule_label(finding.rule)).inc()
        elif finding.rule == REFUSED and finding.waived is None:
            rule = str(dict(finding.params).get(REFUSED_RULE))
            metrics.SUPPRESSIONS_REFUSED.labels(metrics.rule_label(rule)).inc()
    if waived := sum(finding.waived is not None for finding in outcome.findings):
        metrics.WAIVED.labels(check).inc(waived)
    if outcome.kind is OutcomeKind.ERROR:
        log.error("check_failed", check=check, detail=outcome.detail)
    elif outcome.kind is OutcomeKind.UNREVIEWABLE:
        log.warning("check_unreviewable", check=check, detail=outcome.detail)


def crash_outcome(check: Check | None, language: Language) -> Outcome:
    """Return the outcome of a check that ended its process on every attempt."""
    kind = OutcomeKind.ERROR if check is None or not check.reads_input else OutcomeKind.UNREVIEWABLE
    return Outcome(kind, detail=CRASHED.in_language(language).format(count=retry.MAX_ATTEMPTS))


def _attempt(
    services: Services,
    runner: CheckRunner,
    planned: PlannedCheck,
    attempts: int,
    deadline: float,
    seconds: float,
    language: Language,
) -> Outcome:
    check = services.checks.get(planned.name)
    if attempts > retry.MAX_ATTEMPTS:
        # The check killed its worker on each attempt: do not let it kill another one.
        return crash_outcome(check, language)
    if check is None:
        return Outcome(OutcomeKind.ERROR, detail="the check is not installed in this worker")
    is_limited = check.runs is Runs.CPU
    if is_limited and seconds < MIN_SECONDS:
        return Outcome(OutcomeKind.TIMED_OUT, detail=NO_TIME)
    try:
        return runner.run(check, planned, seconds=seconds if is_limited else None)
    except TRANSIENT_ERRORS as error:
        if retry.retry_decision(attempts, now=time.time(), deadline=deadline).retry:
            raise
        return Outcome(OutcomeKind.ERROR, detail=describe_fault(error))
