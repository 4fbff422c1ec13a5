"""A case run: planned, checked and decided by the code that the workers run, without any engine."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from common.events import Event
from common.plan import Plan, PlannedCheck
from common.snapshot import Snapshot
from common.verdicts import Finding, Outcome, OutcomeKind, Verdict
from workers import planner
from workers.checks.check import Check, Context, Lookups, Skip
from workers.checks.findings import bounded
from workers.dataworks.errors import DataWorksError
from workers.decide import decide
from workers.policy import Policy
from workers.trial.case import Case
from workers.trial.lookups import GivenLookups

NO_SNAPSHOT = "the case gives no snapshot"


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a case: its plan, the outcomes by check, and the verdict."""

    plan: Plan
    outcomes: Mapping[str, Outcome]
    verdict: Verdict

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, in the order of the checks."""
        return tuple(
            finding
            for check in self.plan.checks
            if check.name in self.outcomes
            for finding in self.outcomes[check.name].findings
        )


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks the checks of one event, as of the moment when it came.

    Attributes:
        checks: the registered checks, by name.
        plan: the event's plan.
        event: the event.
        snapshot: what the operation works on, when there is something.
        lookups: what checks may ask DataWorks; None for checks that ask nothing.
    """

    checks: Mapping[str, Check]
    plan: Plan
    event: Event
    snapshot: Snapshot | None
    lookups: Lookups | None

    def ask(self, planned: PlannedCheck) -> Outcome:
        """Ask one of the planned checks once.

        Raises:
            DataWorksError: a lookup failed; whatever else a check raises becomes an outcome.
        """
        check = self.checks[planned.name]
        try:
            return Outcome.of(list(bounded(check.ask(self._context(check, planned)))))
        except Skip as skip:
            return Outcome(OutcomeKind.SKIPPED, detail=str(skip))
        except DataWorksError:
            raise
        except Exception as error:  # noqa: BLE001 - a check may be anybody's; the others go on
            return Outcome(OutcomeKind.ERROR, detail=f"it failed with {type(error).__name__}{_place(error)}")

    def _context(self, check: Check, planned: PlannedCheck) -> Context:
        return Context(
            event=self.event,
            snapshot=self.snapshot or Snapshot(),
            options=check.options.model_validate(dict(planned.options)),
            lookups=self.lookups if check.looks_up else None,
            now=self.event.received_at,
            language=self.plan.language,
        )


def run(case: Case, checks: Mapping[str, Check], policy: Policy) -> Trial:
    """Run a case: a pure function of it, of the checks and of the policy.

    Args:
        case: the case.
        checks: the registered checks, by name.
        policy: what holds when the case brings no policy of its own.
    """
    event = case.event
    holds = case.policy or policy
    plan = planner.plan(event, holds, checks, case.snapshot)
    wanted = planner.wants_snapshot(plan, checks) or planner.undecided(event, holds, plan)
    missing = NO_SNAPSHOT if wanted and case.snapshot is None else None
    outcomes = planner.unrunnable(event, plan, checks, missing)
    lookups = GivenLookups(case.world, event.project_id)
    # As with real events: what no check of the plan wants is not fetched.
    asking = Asking(checks, plan, event, case.snapshot if wanted else None, lookups)
    for planned in plan.checks:
        if planned.name not in outcomes:
            outcomes[planned.name] = _outcome(asking, planned)
    verdict = decide(plan, outcomes, message_id=event.message_id, now=event.received_at)
    return Trial(plan, outcomes, verdict)


def _outcome(asking: Asking, planned: PlannedCheck) -> Outcome:
    try:
        return asking.ask(planned)
    except DataWorksError as error:
        return Outcome(OutcomeKind.ERROR, detail=f"DataWorks refused: {error.action} {error.code}")


def _place(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f" at {Path(frame.filename).name}:{frame.lineno}"


def differences(case: Case, trial: Trial) -> Iterator[str]:
    """Yield what came otherwise than expected, one line each."""
    expected, verdict = case.expected, trial.verdict
    if expected.verdict not in (None, verdict.result):
        yield f"verdict: expected {expected.verdict}, got {verdict.result}"
    if expected.findings is not None:
        yield from _findings(Counter(expected.findings), trial)
    for text in expected.tip:
        if text not in verdict.tip:
            yield f"the tip lacks {text!r}"


def _findings(wanted: Counter[str], trial: Trial) -> Iterator[str]:
    got = Counter(finding.rule for finding in trial.findings)
    for rule, count in (wanted - got).items():
        yield f"finding missing: {rule}{_times(count)}"
    for rule, count in (got - wanted).items():
        said = [finding.message for finding in trial.findings if finding.rule == rule]
        yield from (f"finding too many: {rule}: {message}" for message in said[-count:])


def _times(count: int) -> str:
    return f" ({count} times)" if count > 1 else ""
