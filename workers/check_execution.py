"""Runs checks of one event, and writes down what they say."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import structlog
from billiard.exceptions import SoftTimeLimitExceeded

from common.ledger import Begun
from common.plan import PlannedCheck
from common.snapshot import Snapshot
from common.verdicts import Outcome, OutcomeKind
from workers import metrics, retry
from workers.checks.api import Runs
from workers.pipeline.check_runner import TIMED_OUT, CheckRunner, describe_fault
from workers.services import Services
from workers.task_base import TRANSIENT

log = structlog.get_logger()


def check(
    services: Services,
    message_id: str,
    run: int,
    names: Sequence[str],
    until: float,
    *,
    begun: Begun | None = None,
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
        until: when an outcome would come too late, in seconds since the epoch.
        begun: the attempt at them, when it is counted already.
        seconds: how long lookups may take; what takes longer is a transient fault.

    Raises:
        Transient: a lookup could not be made and there is time to try again; also faults of Redis and broker.
    """
    begun = begun or services.ledger.begin(message_id, run, names)
    asked = _Asked()
    if begun is not None:
        asked = _one_by_one(services, begun, until, time.time() + seconds, alone=len(names) == 1)
    services.reports.record(message_id, run, asked.outcomes)
    _part(services, message_id, run, asked.left, until)
    if asked.fault:
        raise asked.fault


def _part(services: Services, message_id: str, run: int, names: Iterable[str], until: float) -> None:
    for name in names:
        services.dispatch.check(message_id, run, [name], Runs.CPU, until)


def killed(services: Services, message_id: str, run: int, names: Sequence[str], until: float) -> None:
    """Have checks part whose process was killed since one did not let itself be ended in time."""
    if len(names) > 1:
        _part(services, message_id, run, names, until)


@dataclass(slots=True)
class _Asked:
    """What became of checks: the outcomes, those to be asked alone, and a fault that held up the rest."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    left: Sequence[str] = ()
    fault: Exception | None = None


def _one_by_one(
    services: Services, begun: Begun, until: float, lookups_until: float, *, alone: bool
) -> _Asked:
    done, names = _Asked(), [*begun.attempts]
    if len(names) > 1 and max(begun.attempts.values()) > 1:
        done.left = names
        return done
    plan = begun.record.plan
    assert plan is not None  # noqa: S101 - attempts are counted of planned checks only
    planned = {item.name: item for item in plan.checks}
    snapshot = Snapshot.from_json(begun.snapshot) if begun.snapshot else None
    runner = services.check_runner(begun.record.event, snapshot, plan.language, until, lookups_until)
    for number, name in enumerate(names):
        try:
            outcome = _attempt(services, runner, planned[name], begun.attempts[name], until)
        except TRANSIENT as error:
            done.fault = error
            continue
        except SoftTimeLimitExceeded:  # it fell just before or behind the check itself
            outcome = Outcome(OutcomeKind.TIMED_OUT, detail=TIMED_OUT)
        if outcome.kind is OutcomeKind.TIMED_OUT and not alone:
            # The others have not had their time, and this one not all of its own: it is asked last.
            done.left = [*names[number + 1 :], name]
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
    services: Services, runner: CheckRunner, planned: PlannedCheck, attempts: int, until: float
) -> Outcome:
    if attempts > retry.MOST_ATTEMPTS:
        # The worker died under it each time: it must not kill the next one too.
        return Outcome(OutcomeKind.ERROR, detail=f"given up after {retry.MOST_ATTEMPTS} attempts")
    asked = services.checks.get(planned.name)
    if asked is None:
        return Outcome(OutcomeKind.ERROR, detail="this worker does not have the check")
    try:
        return runner.run(asked, planned)
    except TRANSIENT as error:
        if retry.decide(attempts, now=time.time(), until=until).again:
            raise
        return Outcome(OutcomeKind.ERROR, detail=describe_fault(error))
