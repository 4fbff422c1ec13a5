"""A recorded event under another policy: its checks are run again where that can be done, else weighed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from common.i18n import Language
from common.ledger import EventRecord
from common.plan import Plan, PlannedCheck, most_severe, requested_result
from common.snapshot import Snapshot
from common.verdicts import Finding, Outcome, Result, Severity
from review.options import ReviewOptions
from review.rules.registry import BY_ID
from workers.checks.api import Check, Lookups
from workers.dataworks.errors import DataWorksError
from workers.pipeline import planner
from workers.pipeline.check_runner import CheckRunner
from workers.policy.policy import Policy
from workers.waivers.matching import Waivers

NEEDS_LOOKUPS = "it asks DataWorks"
NO_CODE = "code or table not kept"


class VerdictChange(StrEnum):
    """What another policy changes for an event."""

    BLOCKED = "newly blocked"
    PASSED = "newly passed"
    WARNED = "newly warned"
    CLEARED = "no longer warned"
    NONE = "unchanged"
    UNKNOWN = "cannot be told"


@dataclass(frozen=True, slots=True)
class ReplayedEvent:
    """What became of one event.

    Attributes:
        record: the event as it is in the ledger, with its verdict of then.
        plan: what it gets under the other policy.
        outcomes: by check name, those that could be had.
        reweighed: checks whose recorded findings were weighed again, with why they were not run.
        unknown: checks that could not be judged at all, with why.
    """

    record: EventRecord
    plan: Plan
    outcomes: Mapping[str, Outcome]
    reweighed: Mapping[str, str]
    unknown: Mapping[str, str]

    @property
    def previous(self) -> Result:
        """Its result then."""
        verdict = self.record.verdict or self.record.accepted_verdict
        return verdict.result if verdict else Result.OK

    @property
    def new(self) -> Result:
        """Its result under the other policy: the worst that the checks count as that could be judged."""
        counted = [item.effective_result(self.outcomes.get(item.name)) for item in self._known]
        return most_severe(*counted) if self.plan.checks else self.plan.verdict

    @property
    def _known(self) -> list[PlannedCheck]:
        return [check for check in self.plan.checks if check.name not in self.unknown]

    @property
    def change(self) -> VerdictChange:
        """What changes. It cannot be told when a check that could not be judged may yet make it worse."""
        if self.new is Result.FAIL:
            return VerdictChange.NONE if self.previous is Result.FAIL else VerdictChange.BLOCKED
        most = most_severe(
            *(check.mode.max_result for check in self.plan.checks if check.name in self.unknown)
        )
        if most.severity_rank > self.new.severity_rank:
            return VerdictChange.UNKNOWN
        if self.new is self.previous:
            return VerdictChange.NONE
        if self.previous is Result.FAIL:
            return VerdictChange.PASSED
        return VerdictChange.WARNED if self.new is Result.WARN else VerdictChange.CLEARED

    @property
    def deciding_checks(self) -> Mapping[str, Finding | None]:
        """The checks that bring the change about, each with its worst finding if it has one.

        Those that make the verdict what it is now, when it is worse; those that made it what it was, when it
        is milder. None of them: it is the result of an extension point without a check.
        """
        worse = self.new.severity_rank > self.previous.severity_rank
        checks = self._known if worse else _previous_result(self.record).checks
        outcomes = self.outcomes if worse else self.record.outcomes
        return {
            check.name: _max_severity(outcomes.get(check.name))
            for check in checks
            if check.effective_result(outcomes.get(check.name)) is most_severe(self.new, self.previous)
        }


@dataclass(frozen=True, slots=True)
class ReplayInputs:
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


def replay_event(
    record: EventRecord, snapshot: Snapshot | None, inputs: ReplayInputs
) -> ReplayedEvent | None:
    """Judge a recorded event under another policy; nothing is posted or written.

    A check is run as of the moment when the event came. One that lacks its code, or that asks DataWorks when
    it may not, is weighed by the findings that are recorded of it: their severities, the check's mode and
    what faults count as are the other policy's.

    Args:
        record: the event.
        snapshot: what the operation works on, when that is still kept.
        inputs: the other policy, and what its checks have.

    Returns:
        None when the event has no verdict to compare with.
    """
    if (record.verdict or record.accepted_verdict) is None:
        return None
    event, plan = record.event, _plan(record, snapshot, inputs)
    runner = CheckRunner(
        event,
        snapshot,
        plan.language,
        lookups=inputs.lookups,
        clock=lambda: event.received_at,
        waivers=inputs.waivers,
    )
    outcomes = planner.unrunnable_outcomes(event, plan, inputs.checks, None)
    weighed: dict[str, str] = {}
    unknown: dict[str, str] = {}
    for planned in (item for item in plan.checks if item.name not in outcomes):
        check = inputs.checks[planned.name]
        ran = _run(runner, check, planned, snapshot, inputs.lookups)
        if isinstance(ran, Outcome):
            outcomes[planned.name] = ran
        elif planned.name in record.planned_checks:
            weighed[planned.name] = ran
            if recorded := _reweigh(check, planned, record):
                outcomes[planned.name] = runner.apply_waivers(check, recorded)
        else:
            unknown[planned.name] = ran
    return ReplayedEvent(record, plan, outcomes, weighed, unknown)


def _plan(record: EventRecord, snapshot: Snapshot | None, means: ReplayInputs) -> Plan:
    """Return what the event gets; no policy reaches one for which DataWorks says that dwgate is off."""
    then = _previous_result(record)
    return (
        then
        if then.disabled_reason
        else planner.build_plan(record.event, means.policy, means.checks, snapshot)
    )


def _run(
    runner: CheckRunner,
    check: Check,
    planned: PlannedCheck,
    snapshot: Snapshot | None,
    lookups: Lookups | None,
) -> Outcome | str:
    """Return the outcome of a check, or why it cannot be run."""
    if check.needs_snapshot and snapshot is None:
        return NO_CODE
    if check.uses_lookups and lookups is None:
        return NEEDS_LOOKUPS
    try:
        return runner.run_or_raise(check, planned)
    except DataWorksError as error:
        return f"DataWorks could not be asked: {error.action} {error.code}"


def _reweigh(check: Check, planned: PlannedCheck, record: EventRecord) -> Outcome | None:
    """Return the recorded outcome under the new options; None when there is none."""
    outcome = record.outcomes.get(check.name)
    if outcome is None:
        return None
    options: Any = check.options.model_validate(dict(planned.options))
    if not outcome.findings or not isinstance(options, ReviewOptions):
        return outcome
    then = next(item for item in _previous_result(record).checks if item.name == check.name)
    found = [
        replace(finding, severity=options.effective_severity(finding.rule, _recorded_severity(finding, then)))
        for finding in outcome.findings
        if not options.is_disabled(finding.rule)
    ]
    return Outcome.of(found)


def _recorded_severity(finding: Finding, then: PlannedCheck) -> Severity:
    """Return the severity that a finding has by itself: recorded is what the policy of then made of it."""
    rule = BY_ID.get(finding.rule)
    return rule.severity if rule and finding.rule in then.options.get("severity", {}) else finding.severity


def _previous_result(record: EventRecord) -> Plan:
    return record.plan or Plan((), Result.OK, Language.ENGLISH, "")


def _max_severity(outcome: Outcome | None) -> Finding | None:
    found = outcome.findings if outcome else ()
    return max(found, key=lambda finding: requested_result(finding).severity_rank, default=None)
