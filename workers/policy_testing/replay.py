"""A recorded event under another policy: its checks are run again where that can be done, else weighed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from common.i18n import Language
from common.ledger import Record
from common.plan import Plan, PlannedCheck, asked_by, worst
from common.snapshot import Snapshot
from common.verdicts import Finding, Outcome, Result, Severity
from review.options import ReviewPolicy
from review.rules.registry import BY_ID
from workers.checks.api import Check, Lookups
from workers.dataworks.errors import DataWorksError
from workers.pipeline import planner
from workers.pipeline.check_runner import CheckRunner
from workers.policy.policy import Policy
from workers.waivers.matching import Waivers

LOOKS_UP = "it asks DataWorks"
NO_CODE = "code or table not kept"


class Change(StrEnum):
    """What another policy changes for an event."""

    BLOCKED = "newly blocked"
    PASSED = "newly passed"
    WARNED = "newly warned"
    CLEARED = "no longer warned"
    NONE = "unchanged"
    UNKNOWN = "cannot be told"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one event.

    Attributes:
        record: the event as it is in the ledger, with its verdict of then.
        plan: what it gets under the other policy.
        outcomes: by check name, those that could be had.
        weighed: checks whose recorded findings were weighed again, with why they were not run.
        unknown: checks that could not be judged at all, with why.
    """

    record: Record
    plan: Plan
    outcomes: Mapping[str, Outcome]
    weighed: Mapping[str, str]
    unknown: Mapping[str, str]

    @property
    def was(self) -> Result:
        """Its result then."""
        verdict = self.record.verdict or self.record.taken
        return verdict.result if verdict else Result.OK

    @property
    def now(self) -> Result:
        """Its result under the other policy: the worst that the checks count as that could be judged."""
        counted = [item.counts_as(self.outcomes.get(item.name)) for item in self._known]
        return worst(*counted) if self.plan.checks else self.plan.verdict

    @property
    def _known(self) -> list[PlannedCheck]:
        return [check for check in self.plan.checks if check.name not in self.unknown]

    @property
    def change(self) -> Change:
        """What changes. It cannot be told when a check that could not be judged may yet make it worse."""
        if self.now is Result.FAIL:
            return Change.NONE if self.was is Result.FAIL else Change.BLOCKED
        most = worst(*(check.mode.most for check in self.plan.checks if check.name in self.unknown))
        if most.rank > self.now.rank:
            return Change.UNKNOWN
        if self.now is self.was:
            return Change.NONE
        if self.was is Result.FAIL:
            return Change.PASSED
        return Change.WARNED if self.now is Result.WARN else Change.CLEARED

    @property
    def because(self) -> Mapping[str, Finding | None]:
        """The checks that bring the change about, each with its worst finding if it has one.

        Those that make the verdict what it is now, when it is worse; those that made it what it was, when it
        is milder. None of them: it is the result of an extension point without a check.
        """
        worse = self.now.rank > self.was.rank
        checks = self._known if worse else _old(self.record).checks
        outcomes = self.outcomes if worse else self.record.outcomes
        return {
            check.name: _worst(outcomes.get(check.name))
            for check in checks
            if check.counts_as(outcomes.get(check.name)) is worst(self.now, self.was)
        }


@dataclass(frozen=True, slots=True)
class Means:
    """What events are replayed with.

    Attributes:
        policy: the other policy.
        checks: the registered checks, by name.
        waivers: findings that are let pass, when they were in force as the event came.
        lookups: what checks may ask DataWorks; None: they may not.
    """

    policy: Policy
    checks: Mapping[str, Check]
    waivers: Waivers = field(default_factory=Waivers)
    lookups: Lookups | None = None


def replay(record: Record, snapshot: Snapshot | None, means: Means) -> Replayed | None:
    """Judge a recorded event under another policy; nothing is posted or written.

    A check is run as of the moment when the event came. One that lacks its code, or that asks DataWorks when
    it may not, is weighed by the findings that are recorded of it: their severities, the check's mode and
    what faults count as are the other policy's.

    Args:
        record: the event.
        snapshot: what the operation works on, when that is still kept.
        means: the other policy, and what its checks have.

    Returns:
        None when the event has no verdict to compare with.
    """
    if (record.verdict or record.taken) is None:
        return None
    event, plan = record.event, _plan(record, snapshot, means)
    runner = CheckRunner(
        event,
        snapshot,
        plan.language,
        lookups=means.lookups,
        clock=lambda: event.received_at,
        waivers=means.waivers,
    )
    outcomes = planner.unrunnable_outcomes(event, plan, means.checks, None)
    weighed: dict[str, str] = {}
    unknown: dict[str, str] = {}
    for planned in (item for item in plan.checks if item.name not in outcomes):
        check = means.checks[planned.name]
        ran = _run(runner, check, planned, snapshot, means.lookups)
        if isinstance(ran, Outcome):
            outcomes[planned.name] = ran
        elif planned.name in record.planned:
            weighed[planned.name] = ran
            if recorded := _weighed(check, planned, record):
                outcomes[planned.name] = runner.apply_waivers(check, recorded)
        else:
            unknown[planned.name] = ran
    return Replayed(record, plan, outcomes, weighed, unknown)


def _plan(record: Record, snapshot: Snapshot | None, means: Means) -> Plan:
    """Return what the event gets; no policy reaches one for which DataWorks says that dwgate is off."""
    then = _old(record)
    return then if then.off else planner.plan(record.event, means.policy, means.checks, snapshot)


def _run(
    runner: CheckRunner,
    check: Check,
    planned: PlannedCheck,
    snapshot: Snapshot | None,
    lookups: Lookups | None,
) -> Outcome | str:
    """Return the outcome of a check, or why it cannot be run."""
    if check.snapshot and snapshot is None:
        return NO_CODE
    if check.looks_up and lookups is None:
        return LOOKS_UP
    try:
        return runner.run_or_raise(check, planned)
    except DataWorksError as error:
        return f"DataWorks could not be asked: {error.action} {error.code}"


def _weighed(check: Check, planned: PlannedCheck, record: Record) -> Outcome | None:
    """Return the recorded outcome under the new options; None when there is none."""
    outcome = record.outcomes.get(check.name)
    if outcome is None:
        return None
    options: Any = check.options.model_validate(dict(planned.options))
    if not outcome.findings or not isinstance(options, ReviewPolicy):
        return outcome
    then = next(item for item in _old(record).checks if item.name == check.name)
    found = [
        replace(finding, severity=options.weighed(finding.rule, _own(finding, then)))
        for finding in outcome.findings
        if not options.off(finding.rule)
    ]
    return Outcome.of(found)


def _own(finding: Finding, then: PlannedCheck) -> Severity:
    """Return the severity that a finding has by itself: recorded is what the policy of then made of it."""
    rule = BY_ID.get(finding.rule)
    return rule.severity if rule and finding.rule in then.options.get("severity", {}) else finding.severity


def _old(record: Record) -> Plan:
    return record.plan or Plan((), Result.OK, Language.ENGLISH, "")


def _worst(outcome: Outcome | None) -> Finding | None:
    found = outcome.findings if outcome else ()
    return max(found, key=lambda finding: asked_by(finding).rank, default=None)
