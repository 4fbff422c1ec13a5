"""Runs checks of one event and records their outcomes."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

import structlog

from common import clock, tracing
from common.ledger import StartedAttempt
from common.plan import RECORDING_SECONDS, PlannedCheck
from common.processes.time_limits import GRACE_SECONDS, REVIEW_SECONDS, TimeLimitReached
from common.snapshot import Snapshot
from common.text.i18n import Language, Text
from common.verdicts import Outcome, OutcomeKind
from review.suppressions.model import REFUSED, REFUSED_RULE
from workers import metrics, retry
from workers.checks.api import Check, Runs
from workers.dataworks.errors import Transient
from workers.pipeline.check_runner import CheckRunner, describe_fault
from workers.services import Services
from workers.task_base import MAX_RETRIES, TRANSIENT_ERRORS
from workers.task_events import CheckEnd

SHARED_SECONDS = 5.0
"""After this time, lookups included, the remaining checks of a message get messages of their own."""

SHARED_TIME_SHARE = 2 / 3
"""Share of the remaining time that one of several checks in a message may use."""

SUSPECT_ATTEMPTS = 2
"""Attempts after which a check whose message is delivered again runs alone in its process."""

MIN_SECONDS = 0.5
"""A CPU check is not started with less time left than this."""

NO_TIME = "no time was left when a worker was free"
CRASHED = Text("it ended its process {count} times", "它已 {count} 次使进程崩溃")

log = structlog.get_logger()


@dataclass(slots=True)
class Batch:
    """Result of running the checks of a message.

    Attributes:
        outcomes: of the checks that finished, by name.
        remaining: checks to run in messages of their own.
        is_stalled: whether the last of `remaining` reached the limit of a trial.
        fault: a transient fault, after which the checks without outcome are retried.
        ends: how the checks ended that finished, for Flower.
    """

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    remaining: Sequence[str] = ()
    is_stalled: bool = False
    fault: Exception | None = None
    ends: list[CheckEnd] = field(default_factory=list)


def execute(
    services: Services,
    message_id: str,
    run: int,
    names: Sequence[str],
    deadline: float,
    *,
    started_attempt: StartedAttempt | None = None,
    seconds: float = math.inf,
    is_redelivery: bool = False,
) -> list[CheckEnd]:
    """Run I/O-bound checks of an event and record their outcomes; with the last one the event is reported.

    Args:
        services: of this process.
        message_id: the event.
        run: the run of the outcomes; those of an older run are dropped.
        names: the checks, run one after the other.
        deadline: of the outcomes, in seconds since the epoch.
        started_attempt: the attempt, if it is already counted in the ledger.
        seconds: time in which lookups begin; one that would begin later is a transient fault.
        is_redelivery: whether an earlier delivery of the message may have ended its process.

    Returns:
        How the checks ended, for Flower.

    Raises:
        Transient: a lookup failed and can be retried; faults of Redis and the broker are raised, too.
    """
    is_suspect = is_redelivery and _was_interrupted(services, message_id, names)
    # Only the check that runs alone can be the cause of the next end: the others keep their attempts.
    with services.alone if is_suspect else nullcontext():
        started_attempt = started_attempt or services.ledger.start_attempts(message_id, run, names)
        with traced_checks(started_attempt):
            batch = Batch()
            if started_attempt is not None:
                batch = run_checks(
                    services,
                    started_attempt,
                    deadline,
                    begin_lookups_by=clock.now() + seconds,
                    is_redelivery=is_redelivery,
                )
            services.reports.record(message_id, run, batch.outcomes)
    if batch.fault:
        raise batch.fault
    return [*earlier_ends(started_attempt, names), *batch.ends]


def earlier_ends(started_attempt: StartedAttempt | None, names: Sequence[str]) -> list[CheckEnd]:
    """Return how those of the checks `names` ended that finished in an earlier attempt of their message."""
    if started_attempt is None or started_attempt.record.plan is None:
        return []
    outcomes = started_attempt.record.outcomes
    planned = [item for item in started_attempt.record.plan.checks if item.name in names]
    return [CheckEnd.of(item, outcomes[item.name], 0.0) for item in planned if item.name in outcomes]


@contextmanager
def traced_checks(started_attempt: StartedAttempt | None) -> Iterator[None]:
    """Continue the trace of an event, and record a span in which its checks run and are recorded."""
    if started_attempt is None:
        yield
        return
    record = started_attempt.record
    with tracing.event_scope(record.event, record.run):
        planned_at = record.last_step("planned", "slowed") if tracing.is_traced() else None
        if planned_at is not None and max(started_attempt.attempts.values()) == 1:
            tracing.record_span("wait for checks", planned_at, clock.now())
        with tracing.span("checks", "consumer", run=record.run, **tracing.event_attributes(record.event)):
            yield


def _was_interrupted(services: Services, message_id: str, names: Sequence[str]) -> bool:
    """Whether checks were started SUSPECT_ATTEMPTS times, each time perhaps ending their process."""
    record = services.ledger.get(message_id)
    return record is not None and any(record.attempts.get(name, 0) >= SUSPECT_ATTEMPTS for name in names)


def run_checks(
    services: Services,
    started_attempt: StartedAttempt,
    deadline: float,
    *,
    begin_lookups_by: float = math.inf,
    trial_seconds: float | None = None,
    is_redelivery: bool = False,
) -> Batch:
    """Run the checks of a message one after the other, until they have taken `SHARED_SECONDS`.

    Args:
        services: of this process.
        started_attempt: the attempt.
        deadline: of the outcomes, in seconds since the epoch.
        begin_lookups_by: when a lookup begins at the latest; one that would be later is a transient fault.
        trial_seconds: CPU seconds that all of them may use, if those that need more run again elsewhere.
        is_redelivery: whether an earlier delivery of the message may have ended its process. Otherwise the
            earlier attempts met faults of an engine, which are none of the check's.
    """
    done, names = Batch(), [*started_attempt.attempts]
    plan = started_attempt.record.plan
    assert plan is not None  # noqa: S101 - only planned checks have attempts
    planned = {item.name: item for item in plan.checks}
    snapshot = Snapshot.from_json(started_attempt.snapshot) if started_attempt.snapshot else None
    runner = services.check_runner(
        started_attempt.record.event, snapshot, plan.language, deadline, begin_lookups_by
    )
    started, cpu_at_start = time.monotonic(), time.process_time()
    for number, name in enumerate(names):
        seconds, is_trial = time_limit(deadline, alone=len(names) == 1), False
        if trial_seconds is not None and seconds >= MIN_SECONDS:
            is_trial = True
            seconds = trial_seconds - (time.process_time() - cpu_at_start)
            if seconds <= 0:
                done.remaining = names[number:]
                break
        begun = time.perf_counter()
        try:
            outcome = _attempt(
                services,
                runner,
                planned[name],
                started_attempt.attempts[name],
                deadline,
                seconds,
                plan.language,
                is_trial=is_trial,
                is_redelivery=is_redelivery,
            )
        except TRANSIENT_ERRORS as error:
            done.fault = error
            if isinstance(error, Transient):
                continue
            break  # the engine's fault: the others would wait for it, too, and the message has a time limit
        except TimeLimitReached:
            done.is_stalled = True
            done.remaining = [*names[number + 1 :], name]
            break
        done.outcomes[name] = outcome
        took = time.perf_counter() - begun
        note_outcome(planned[name], outcome, services.checks.get(name), took)
        done.ends.append(CheckEnd.of(planned[name], outcome, took))
        if time.monotonic() - started > SHARED_SECONDS:
            # Each of the others may stall on the same input: other events get their turn in between.
            done.remaining = names[number + 1 :]
            break
    return done


def time_limit(deadline: float, *, alone: bool) -> float:
    """Return the seconds that a check may work now: `REVIEW_SECONDS`, or less if the deadline is near."""
    left = deadline - RECORDING_SECONDS - GRACE_SECONDS - clock.now()
    return min(REVIEW_SECONDS, left if alone else left * SHARED_TIME_SHARE)


def note_outcome(
    planned: PlannedCheck, outcome: Outcome, check: Check | None, seconds: float | None = None
) -> None:
    """Count an outcome and its findings, and log a check that failed.

    Args:
        planned: the check in the plan.
        outcome: its outcome.
        check: the check; None if it is not installed in this worker.
        seconds: its duration; None if it was not measured, since it ended its process or was not started.
    """
    if seconds is not None:
        metrics.CHECK_SECONDS.labels(planned.name).observe(seconds)
    metrics.CHECKS.labels(planned.name, outcome.kind.value).inc()
    _count_findings(planned, outcome, is_built_in=check is not None and check.is_built_in)
    if outcome.kind is OutcomeKind.ERROR:
        log.error("check_failed", check=planned.name, detail=outcome.detail)
    elif outcome.kind is OutcomeKind.UNREVIEWABLE:
        log.warning("check_unreviewable", check=planned.name, detail=outcome.detail)


def _count_findings(planned: PlannedCheck, outcome: Outcome, *, is_built_in: bool) -> None:
    for finding in outcome.findings:
        if finding.suppressed is not None:
            metrics.SUPPRESSED.labels(metrics.rule_label(finding.rule)).inc()
        elif finding.waived is not None:
            metrics.WAIVED.labels(planned.name).inc()
        else:
            rule = metrics.finding_label(planned.name, finding.rule, is_built_in=is_built_in)
            metrics.FINDINGS.labels(rule, finding.severity.value, planned.mode.value).inc()
            if finding.rule == REFUSED:
                refused = str(dict(finding.params).get(REFUSED_RULE))
                metrics.SUPPRESSIONS_REFUSED.labels(metrics.rule_label(refused)).inc()


def crash_outcome(check: Check | None, language: Language) -> Outcome:
    """Return the outcome of a check that ended its process on every attempt."""
    return broken_outcome(check, CRASHED.in_language(language).format(count=retry.MAX_ATTEMPTS))


def broken_outcome(check: Check | None, detail: str) -> Outcome:
    """Return the outcome of a check that its input broke, if it reads any; otherwise it is an error."""
    kind = OutcomeKind.ERROR if check is None or not check.reads_input else OutcomeKind.UNREVIEWABLE
    return Outcome(kind, detail=detail)


def _attempt(
    services: Services,
    runner: CheckRunner,
    planned: PlannedCheck,
    attempts: int,
    deadline: float,
    seconds: float,
    language: Language,
    *,
    is_trial: bool,
    is_redelivery: bool,
) -> Outcome:
    check = services.checks.get(planned.name)
    if is_redelivery and attempts > retry.MAX_ATTEMPTS:
        # The check killed its worker on each attempt: do not let it kill another one.
        return crash_outcome(check, language)
    if check is None:
        return Outcome(OutcomeKind.ERROR, detail="the check is not installed in this worker")
    is_limited = check.runs is Runs.CPU
    if is_limited and seconds < MIN_SECONDS and not is_trial:
        return Outcome(OutcomeKind.TIMED_OUT, detail=NO_TIME)
    try:
        return runner.run(check, planned, seconds=seconds if is_limited else None, is_trial=is_trial)
    except TRANSIENT_ERRORS as error:
        # A fault of an engine is no fault of the check, and costs it none of its attempts.
        limit = retry.MAX_ATTEMPTS if isinstance(error, Transient) else MAX_RETRIES
        if retry.retry_decision(attempts, now=clock.now(), deadline=deadline, max_attempts=limit).retry:
            raise
        return Outcome(OutcomeKind.ERROR, detail=describe_fault(error))
