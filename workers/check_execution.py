"""Runs checks of one event, and writes down what they say."""

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

    Several run one after the other. When one of them takes too long, or took the process along the last time,
    they part: each that is left is sent on by itself.

    Args:
        services: this process's parts.
        message_id: the event.
        run: the run the outcomes count for; an older one's are dropped.
        names: the checks.
        deadline: when an outcome would come too late, in seconds since the epoch.
        started_attempt: the attempt at them, when it is counted already.
        seconds: how long lookups may take; what takes longer is a transient fault.

    Raises:
        Transient: a lookup could not be made and there is time to try again; also faults of Redis and broker.
    """
    started_attempt = started_attempt or services.ledger.start_attempts(message_id, run, names)
    asked = _BatchResult()
    if started_attempt is not None:
        asked = _run_sequentially(
            services, started_attempt, deadline, time.time() + seconds, alone=len(names) == 1
        )
    services.reports.record(message_id, run, asked.outcomes)
    _dispatch_individually(services, message_id, run, asked.remaining, deadline)
    if asked.fault:
        raise asked.fault


def _dispatch_individually(
    services: Services, message_id: str, run: int, names: Iterable[str], deadline: float
) -> None:
    for name in names:
        services.dispatch.send_checks(message_id, run, [name], Runs.CPU, deadline)


def on_hard_timeout(
    services: Services, message_id: str, run: int, names: Sequence[str], deadline: float
) -> None:
    """Have checks part whose process was killed since one did not let itself be ended in time."""
    if len(names) > 1:
        _dispatch_individually(services, message_id, run, names, deadline)


@dataclass(slots=True)
class _BatchResult:
    """What became of checks: the outcomes, those to be asked alone, and a fault that held up the rest."""

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
    assert plan is not None  # noqa: S101 - attempts are counted of planned checks only
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
        except SoftTimeLimitExceeded:  # it fell just before or behind the check itself
            outcome = Outcome(OutcomeKind.TIMED_OUT, detail=TIMED_OUT)
        if outcome.kind is OutcomeKind.TIMED_OUT and not alone:
            # The others have not had their time, and this one not all of its own: it is asked last.
            done.remaining = [*names[number + 1 :], name]
            break
        done.outcomes[name] = outcome
        metrics.CHECKS.labels(name, outcome.kind.value).inc()
        note_outcome(name, outcome)
    return done


def note_outcome(check: str, outcome: Outcome) -> None:
    """Count the findings of an outcome that a waiver covers, and log a check that could not be run."""
    if waived := sum(finding.waived is not None for finding in outcome.findings):
        metrics.WAIVED.labels(check).inc(waived)
    if outcome.kind is OutcomeKind.ERROR:
        log.error("check_failed", check=check, detail=outcome.detail)


def _attempt(
    services: Services, runner: CheckRunner, planned: PlannedCheck, attempts: int, deadline: float
) -> Outcome:
    if attempts > retry.MAX_ATTEMPTS:
        # The worker died under it each time: it must not kill the next one too.
        return Outcome(OutcomeKind.ERROR, detail=f"given up after {retry.MAX_ATTEMPTS} attempts")
    asked = services.checks.get(planned.name)
    if asked is None:
        return Outcome(OutcomeKind.ERROR, detail="this worker does not have the check")
    try:
        return runner.run(asked, planned)
    except TRANSIENT_ERRORS as error:
        if retry.retry_decision(attempts, now=time.time(), deadline=deadline).retry:
            raise
        return Outcome(OutcomeKind.ERROR, detail=describe_fault(error))
