"""Replays a recorded event under another policy: its checks run again if possible, or are reweighed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from common.ledger import EventRecord
from common.plan import Plan, PlannedCheck, most_severe, requested_result
from common.snapshot import Snapshot
from common.text.i18n import Language
from common.verdicts import Finding, Outcome, OutcomeKind, Result, Severity
from review.options import ReviewOptions
from review.rules.registry import BY_ID
from workers.checks.api import Check, Lookups
from workers.dataworks.errors import DataWorksError
from workers.pipeline import planner
from workers.policy.policy import Policy
from workers.policy_testing.isolated_runner import IsolatedRunner
from workers.waivers.matching import Waivers

NEEDS_LOOKUPS = "needs lookups"
NO_CODE = "code or table no longer stored"


class VerdictChange(StrEnum):
    """How another policy changes the verdict of an event."""

    BLOCKED = "newly blocked"
    PASSED = "newly passed"
    WARNED = "newly warned"
    CLEARED = "no longer warned"
    NONE = "unchanged"
    UNKNOWN = "undetermined"


@dataclass(frozen=True, slots=True)
class ReplayedEvent:
    """The result of replaying one event.

    Attributes:
        record: the event in the ledger, with its previous verdict.
        plan: its plan under the other policy.
        outcomes: the available outcomes, by check name.
        reweighed: checks whose recorded findings were reweighed, with the reason why they were not run.
        unknown: checks that could not be evaluated, with the reason.
    """

    record: EventRecord
    plan: Plan
    outcomes: Mapping[str, Outcome]
    reweighed: Mapping[str, str]
    unknown: Mapping[str, str]

    @property
    def previous(self) -> Result:
        """The result that DataWorks accepted, whatever a rerun would have answered."""
        accepted = self.record.accepted_verdict
        return accepted.result if accepted else Result.OK

    @property
    def new(self) -> Result:
        """Its result under the other policy: the most severe of the checks that could be evaluated."""
        counted = [item.effective_result(self.outcomes.get(item.name)) for item in self._known]
        return most_severe(*counted) if self.plan.checks else self.plan.verdict

    @property
    def _known(self) -> list[PlannedCheck]:
        return [check for check in self.plan.checks if check.name not in self.unknown]

    @property
    def change(self) -> VerdictChange:
        """The change; undetermined if a check that was not evaluated might make the result more severe."""
        if self.new is Result.FAIL:
            return VerdictChange.NONE if self.previous is Result.FAIL else VerdictChange.BLOCKED
        possible = most_severe(
            *(check.mode.max_result for check in self.plan.checks if check.name in self.unknown)
        )
        if possible.severity_rank > self.new.severity_rank:
            return VerdictChange.UNKNOWN
        if self.new is self.previous:
            return VerdictChange.NONE
        if self.previous is Result.FAIL:
            return VerdictChange.PASSED
        return VerdictChange.WARNED if self.new is Result.WARN else VerdictChange.CLEARED

    @property
    def deciding_checks(self) -> Mapping[str, Finding | None]:
        """The checks that cause the change, each with its most severe finding if it has one.

        If the verdict is more severe, these are the checks that cause the new result; if it is milder, those
        that caused the previous one. Empty if it is the result of an extension point without a check.
        """
        worse = self.new.severity_rank > self.previous.severity_rank
        checks = self._known if worse else _recorded_plan(self.record).checks
        outcomes = self.outcomes if worse else self.record.outcomes
        return {
            check.name: _max_severity(outcomes.get(check.name))
            for check in checks
            if check.effective_result(outcomes.get(check.name)) is most_severe(self.new, self.previous)
        }


@dataclass(frozen=True, slots=True)
class ReplayInputs:
    """The inputs of a replay.

    Attributes:
        policy: the other policy.
        checks: the registered checks, by name.
        waivers: the waivers; one applies if it was active when the accepted verdict was decided.
        lookups: the lookups that checks may make; None if they may make none.
        fingerprint_key: the fleet's key of the digests of secrets in findings.
    """

    policy: Policy
    checks: Mapping[str, Check]
    waivers: Waivers = field(default_factory=Waivers)
    lookups: Lookups | None = None
    fingerprint_key: bytes | None = field(default=None, repr=False)


def replay_event(
    record: EventRecord, snapshot: Snapshot | None, inputs: ReplayInputs
) -> ReplayedEvent | None:
    """Evaluate a recorded event under another policy; nothing is posted or written.

    A check runs as of the time when the accepted verdict was decided: a waiver that expired while the event
    was queued did not count. If its code is missing, or it needs lookups that are not allowed, its recorded
    findings are reweighed: with the severities, the mode, and the results for errors and timeouts of the
    other policy.

    Args:
        record: the event.
        snapshot: the file or table of the operation, if it is still stored.
        inputs: the other policy and the inputs of its checks.

    Returns:
        The replayed event; None if DataWorks accepted no verdict for it.
    """
    accepted = record.accepted_verdict
    if accepted is None:
        return None
    event, plan = record.event, _plan(record, snapshot, inputs)
    runner = IsolatedRunner(
        event,
        snapshot,
        plan.language,
        lookups=inputs.lookups,
        clock=lambda: accepted.decided_at,
        waivers=inputs.waivers,
        fingerprint_key=lambda: inputs.fingerprint_key,
    )
    missing = planner.missing_input(event, snapshot) if snapshot else None
    outcomes = planner.unrunnable_outcomes(event, plan, inputs.checks, missing)
    reweighed: dict[str, str] = {}
    unknown: dict[str, str] = {}
    for planned in (item for item in plan.checks if item.name not in outcomes):
        check = inputs.checks[planned.name]
        result = _run(runner, check, planned, snapshot, inputs.lookups)
        if isinstance(result, Outcome):
            outcomes[planned.name] = result
        elif planned.name in record.planned_checks:
            reweighed[planned.name] = result
            if recorded := _reweigh(check, planned, record):
                outcomes[planned.name] = runner.apply_waivers(check, recorded)
        else:
            unknown[planned.name] = result
    return ReplayedEvent(record, plan, outcomes, reweighed, unknown)


def _plan(record: EventRecord, snapshot: Snapshot | None, inputs: ReplayInputs) -> Plan:
    """Return the event's new plan; the recorded one if dwgate is disabled for it in the DataWorks console."""
    previous = _recorded_plan(record)
    return (
        previous
        if previous.disabled_reason
        else planner.build_plan(record.event, inputs.policy, inputs.checks, snapshot)
    )


def _run(
    runner: IsolatedRunner,
    check: Check,
    planned: PlannedCheck,
    snapshot: Snapshot | None,
    lookups: Lookups | None,
) -> Outcome | str:
    """Return the outcome of a check, or the reason why it cannot run."""
    if check.needs_snapshot and snapshot is None:
        return NO_CODE
    if check.uses_lookups and lookups is None:
        return NEEDS_LOOKUPS
    try:
        return runner.run_or_raise(check, planned)
    except DataWorksError as error:
        return f"lookup failed: {error.action} {error.code}"


def _reweigh(check: Check, planned: PlannedCheck, record: EventRecord) -> Outcome | None:
    """Return the recorded outcome under the new options; None if there is none."""
    outcome = record.outcomes.get(check.name)
    if outcome is None:
        return None
    options: Any = check.options.model_validate(dict(planned.options))
    if not outcome.findings or not isinstance(options, ReviewOptions):
        return outcome
    previous = next(item for item in _recorded_plan(record).checks if item.name == check.name)
    found = [
        _reweigh_finding(finding, options, _recorded_severity(finding, previous))
        for finding in outcome.findings
        if not options.is_disabled(finding.rule)
    ]
    if outcome.kind is OutcomeKind.FINDINGS:
        return Outcome.of(found)
    return replace(outcome, findings=tuple(found))


def _reweigh_finding(finding: Finding, options: ReviewOptions, recorded: Severity) -> Finding:
    """Return a recorded finding with the severity of the new options; suppressed only if these permit it."""
    severity, reason = options.effective_severity(finding.rule, recorded), finding.suppressed
    kept = reason is not None and options.suppressions.permits(finding.rule, severity, reason)
    return replace(finding, severity=severity, suppressed=reason if kept else None)


def _recorded_severity(finding: Finding, previous: PlannedCheck) -> Severity:
    """Return a finding's own severity: the recorded one may have been set by the previous policy."""
    rule = BY_ID.get(finding.rule)
    return (
        rule.severity if rule and finding.rule in previous.options.get("severity", {}) else finding.severity
    )


def _recorded_plan(record: EventRecord) -> Plan:
    return record.plan or Plan((), Result.OK, Language.ENGLISH, "")


def _max_severity(outcome: Outcome | None) -> Finding | None:
    found = outcome.findings if outcome else ()
    return max(found, key=lambda finding: requested_result(finding).severity_rank, default=None)
