"""Runs a case with the planner, check runner and decision of the workers, without external services."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from common.plan import Plan
from common.plugins.loading import one_line
from common.verdicts import Finding, Outcome, Verdict
from workers.checks.api import Check
from workers.pipeline import planner
from workers.pipeline.check_runner import describe_fault
from workers.pipeline.decision import decide_verdict
from workers.policy.policy import Policy
from workers.policy_testing.cases import Case
from workers.policy_testing.fake_lookups import FakeLookups
from workers.policy_testing.isolated_runner import IsolatedRunner
from workers.waivers.matching import Waivers

NO_SNAPSHOT = "the case has no snapshot"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The result of a case: its plan, the outcomes by check, and the verdict."""

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


def run_case(
    case: Case, checks: Mapping[str, Check], policy: Policy, waivers: Waivers | None = None
) -> CaseResult:
    """Run a case like the workers run an event: a pure function of its arguments.

    Args:
        case: the case.
        checks: the registered checks, by name.
        policy: used if the case has no policy of its own.
        waivers: used if the case has no waivers of its own; None for none.
    """
    event = case.event
    policy = case.policy or policy
    needs_subject = planner.needs_subject(event, policy)
    plan = planner.build_plan(event, policy, checks, case.snapshot)
    needs_snapshot = needs_subject or planner.needs_snapshot(plan, checks)
    missing = planner.missing_input(event, case.snapshot) if case.snapshot else NO_SNAPSHOT
    outcomes = planner.unrunnable_outcomes(event, plan, checks, missing if needs_snapshot else None)
    known = (waivers or Waivers()).under(policy.waivers)
    if case.waivers is not None:
        known = replace(known, items=case.waivers)
    runner = _CaseRunner(
        event,
        # As for real events, the snapshot is fetched only if a check or the policy needs it.
        case.snapshot if needs_snapshot else None,
        plan.language,
        lookups=FakeLookups(case.world, event.project_id),
        clock=lambda: event.received_at,
        waivers=known,
    )
    for planned in plan.checks:
        if planned.name not in outcomes:
            outcomes[planned.name] = runner.run(checks[planned.name], planned)
    verdict = decide_verdict(
        plan, outcomes, message_id=event.message_id, now=event.received_at, waivers=known
    )
    return CaseResult(plan, outcomes, verdict)


class _CaseRunner(IsolatedRunner):
    """Shows what an exception says, too: a case is written by the person who reads it."""

    def _detail(self, error: BaseException) -> str:
        detail = super()._detail(error)
        is_defect = detail.startswith(describe_fault(error))
        return f"{detail}: {one_line(error)}" if is_defect else detail


def compare(case: Case, result: CaseResult) -> Iterator[str]:
    """Yield the differences from the expected result, one line each."""
    expected, verdict = case.expected, result.verdict
    if expected.verdict not in (None, verdict.result):
        yield f"verdict: expected {expected.verdict}, got {verdict.result}"
    if expected.findings is not None:
        yield from _findings(Counter(expected.findings), result)
    for text in expected.tip:
        if text not in verdict.tip:
            yield f"missing in the tip: {text!r}"


def _findings(expected: Counter[str], result: CaseResult) -> Iterator[str]:
    actual = Counter(finding.rule for finding in result.findings)
    for rule, count in (expected - actual).items():
        yield f"missing finding: {rule}{_count_text(count)}"
    for rule, count in (actual - expected).items():
        messages = [finding.message for finding in result.findings if finding.rule == rule]
        yield from (f"unexpected finding: {rule}: {message}" for message in messages[-count:])


def _count_text(count: int) -> str:
    return f" ({count} times)" if count > 1 else ""
