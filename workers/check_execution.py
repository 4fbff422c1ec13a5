"""Runs checks of one event and records their outcomes."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import structlog
from billiard.exceptions import SoftTimeLimitExceeded

from common.ledger import StartedAttempt
from common.plan import PlannedCheck
from common.snapshot import Snapshot
from common.verdicts import Outcome, OutcomeKind
from workers import metrics, retry
from workers.checks.api import Runs
from workers.pipeline.check_runner import TIMED_OUT, CheckRunner, describe_fault
from workers.services import Services
from workers.task_base import TRANSIENT_ERRORS

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

    Several run one after the other. If one times out, or the previous attempt killed the process, the
    remaining checks are dispatched individually, one per message.

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


def on_hard_timeout(
    services: Services, message_id: str, run: int, names: Sequence[str], deadline: float
) -> None:
    """Dispatch checks individually after a hard time limit killed the process that ran them."""
    if len(names) > 1:
        _dispatch_individually(services, message_id, run, names, deadline)


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
    for number, name in enumerate(names):
        try:
            outcome = _attempt(services, runner, planned[name], started_attempt.attempts[name], deadline)
        except TRANSIENT_ERRORS as error:
            done.fault = error
            continue
        except SoftTimeLimitExceeded:  # raised just before or after the check itself
            outcome = Outcome(OutcomeKind.TIMED_OUT, detail=TIMED_OUT)
        if outcome.kind is OutcomeKind.TIMED_OUT and not alone:
            # The others have not run yet, and this one used the shared time limit: it is dispatched last.
            done.remaining = [*names[number + 1 :], name]
            break
        done.outcomes[name] = outcome
        metrics.CHECKS.labels(name, outcome.kind.value).inc()
        note_outcome(name, outcome)
    return done


def note_outcome(check: str, outcome: Outcome) -> None:
    """Count the waived findings of an outcome, and log a check that failed."""
    if waived := sum(finding.waived is not None for finding in outcome.findings):
        metrics.WAIVED.labels(check).inc(waived)
    if outcome.kind is OutcomeKind.ERROR:
        log.error("check_failed", check=check, detail=outcome.detail)


def _attempt(
    services: Services, runner: CheckRunner, planned: PlannedCheck, attempts: int, deadline: float
) -> Outcome:
    if attempts > retry.MAX_ATTEMPTS:
        # The check killed its worker on each attempt: do not let it kill another one.
        return Outcome(OutcomeKind.ERROR, detail=f"failed after {retry.MAX_ATTEMPTS} attempts")
    check = services.checks.get(planned.name)
    if check is None:
        return Outcome(OutcomeKind.ERROR, detail="the check is not installed in this worker")
    try:
        return runner.run(check, planned)
    except TRANSIENT_ERRORS as error:
        if retry.retry_decision(attempts, now=time.time(), deadline=deadline).retry:
            raise
        return Outcome(OutcomeKind.ERROR, detail=describe_fault(error))
