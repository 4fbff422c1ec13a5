"""Asks one check about one event, and writes down what it says."""

from __future__ import annotations

import math
import time

import structlog
from billiard.exceptions import SoftTimeLimitExceeded

from common.events import Event
from common.ledger import Begun
from common.verdicts import Outcome, OutcomeKind
from workers import metrics, retry, waivers
from workers.about import About, about
from workers.checks.check import Check, Context, Skip
from workers.checks.findings import bounded
from workers.dataworks.errors import DataWorksError, Transient
from workers.dataworks.values import Snapshot
from workers.plan import Language, Plan, PlannedCheck
from workers.reporter import finish
from workers.services import Services
from workers.task import TRANSIENT, place

log = structlog.get_logger()


def check(
    services: Services,
    message_id: str,
    run: int,
    name: str,
    until: float,
    *,
    seconds: float = math.inf,
) -> None:
    """Run the check `name` of an event, record its outcome, and send the report when it was the last.

    Args:
        services: this process's parts.
        message_id: the event.
        run: the run the outcome counts for; an older one's is dropped.
        name: the check.
        until: when the outcome would come too late, in seconds since the epoch.
        seconds: how long lookups may take; what takes longer is a transient fault.

    Raises:
        Transient: a lookup could not be made and there is time to try again; also faults of Redis and broker.
    """
    begun = services.ledger.begin(message_id, run, name)
    outcomes: dict[str, Outcome] = {}
    deadline_at = until
    if begun is not None:
        deadline_at = begun.record.deadline_at
        outcomes[name] = _attempt(services, begun, name, until, min(until, time.time() + seconds))
        metrics.CHECKS.labels(name, outcomes[name].kind.value).inc()
    recorded = services.ledger.record(message_id, run, outcomes)
    if recorded.complete:
        finish(services, message_id, run, deadline_at)


def _attempt(services: Services, begun: Begun, name: str, until: float, lookups_until: float) -> Outcome:
    if begun.attempts > retry.MOST_ATTEMPTS:
        # The worker died under it each time: it must not kill the next one too.
        return Outcome(OutcomeKind.ERROR, detail=f"given up after {retry.MOST_ATTEMPTS} attempts")
    asked = services.checks.get(name)
    if asked is None:
        return Outcome(OutcomeKind.ERROR, detail="this worker does not have the check")
    plan = Plan.from_json(begun.record.plan or {})
    planned = next(item for item in plan.checks if item.name == name)
    snapshot = Snapshot.from_json(begun.snapshot) if begun.snapshot else None
    try:
        return ask(services, asked, begun.record.event, snapshot, planned, lookups_until, plan.language)
    except TRANSIENT as error:
        if retry.decide(begun.attempts, now=time.time(), until=until).again:
            raise
        return Outcome(OutcomeKind.ERROR, detail=_why(error))


def ask(
    services: Services,
    asked: Check,
    event: Event,
    snapshot: Snapshot | None,
    planned: PlannedCheck,
    until: float,
    language: Language,
) -> Outcome:
    """Ask a check once. Whatever it raises becomes an outcome, but for transient faults.

    Raises:
        Transient: a lookup could not be made; also Redis' and the broker's faults.
    """
    lookups = services.dataworks.lookups(until) if asked.looks_up else None
    try:
        options = asked.options.model_validate(dict(planned.options))
        context = Context(
            event, snapshot or Snapshot(), options, lookups, time.time(), language, services.answers, until
        )
        return _waived(
            services, about(asked.name, event, snapshot), Outcome.of(list(bounded(asked.ask(context))))
        )
    except Skip as skip:
        return Outcome(OutcomeKind.SKIPPED, detail=str(skip))
    except SoftTimeLimitExceeded:
        return Outcome(OutcomeKind.TIMED_OUT, detail="it took too long")
    except TRANSIENT:
        raise
    except Exception as error:  # noqa: BLE001 - a check that fails must not take the others with it
        log.error("check-failed", check=asked.name, error=type(error).__name__, at=place(error))
        return Outcome(OutcomeKind.ERROR, detail=_why(error))


def _waived(services: Services, what: About, outcome: Outcome) -> Outcome:
    judged = waivers.apply(outcome, what, services.waivers, time.time())
    if count := sum(item.waived is not None for item in judged.findings):
        metrics.WAIVED.labels(what.check).inc(count)
    return judged


def _why(error: Exception) -> str:
    if isinstance(error, DataWorksError):
        tried = "could not be asked" if isinstance(error, Transient) else "refused"
        return f"DataWorks {tried}: {error.action} {error.code}"
    return f"it failed with {type(error).__name__}"
