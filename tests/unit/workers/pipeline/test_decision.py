"""The verdict: effective results of one check, and properties for any plan and outcomes."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.plan import Mode, Plan, PlannedCheck, most_severe
from common.text.i18n import Language
from common.verdicts import AppliedWaiver, Finding, Outcome, OutcomeKind, Reason, Result, Severity
from workers.pipeline.decision import decide_verdict
from workers.waivers.matching import DAY, Waivers
from workers.waivers.model import Waiver

OK, WARN, FAIL = Result
FINDINGS = OutcomeKind.FINDINGS


def plan(*checks: PlannedCheck, verdict: Result = OK) -> Plan:
    return Plan(checks, verdict, Language.ENGLISH, "v1")


def check(
    name: str = "c",
    mode: Mode = Mode.ENFORCE,
    on_timeout: Result = WARN,
    on_error: Result = WARN,
    on_unreviewable: Result = FAIL,
) -> PlannedCheck:
    return PlannedCheck(name, mode, on_timeout, on_error, on_unreviewable=on_unreviewable)


def found(*severities: Severity) -> Outcome:
    return Outcome.of([Finding("r", severity, "m") for severity in severities])


INFO_ONLY = found(Severity.INFO)
SUPPRESSED = Outcome.of([Finding("r", Severity.BLOCK, "m", suppressed="known")])
WARNED = found(Severity.INFO, Severity.WARN)
BLOCKED = found(Severity.WARN, Severity.BLOCK, Severity.INFO)
ERROR = Outcome(OutcomeKind.ERROR, detail="d")
TIMED_OUT = Outcome(OutcomeKind.TIMED_OUT)
UNREVIEWABLE = Outcome(OutcomeKind.UNREVIEWABLE, detail="line 3")


@pytest.mark.parametrize(
    ("planned", "outcome", "result"),
    [
        (check(), Outcome.of([]), OK),
        (check(), Outcome(OutcomeKind.SKIPPED, detail="no code"), OK),
        (check(), INFO_ONLY, OK),
        (check(), SUPPRESSED, OK),
        (check(), WARNED, WARN),
        (check(), BLOCKED, FAIL),
        (check(mode=Mode.WARN), BLOCKED, WARN),
        (check(mode=Mode.WARN), WARNED, WARN),
        (check(mode=Mode.WARN), INFO_ONLY, OK),
        (check(mode=Mode.AUDIT), BLOCKED, OK),
        (check(on_error=FAIL), ERROR, FAIL),
        (check(on_error=OK), ERROR, OK),
        (check(on_error=OK), replace(ERROR, findings=BLOCKED.findings), FAIL),
        (check(on_error=FAIL, mode=Mode.WARN), ERROR, WARN),
        (check(), UNREVIEWABLE, FAIL),
        (check(on_unreviewable=WARN), UNREVIEWABLE, WARN),
        (check(on_unreviewable=OK), UNREVIEWABLE, OK),
        (check(on_unreviewable=OK), replace(UNREVIEWABLE, findings=BLOCKED.findings), FAIL),
        (check(on_unreviewable=FAIL, on_error=OK, on_timeout=OK), UNREVIEWABLE, FAIL),
        (check(mode=Mode.WARN), UNREVIEWABLE, WARN),
        (check(mode=Mode.AUDIT), UNREVIEWABLE, OK),
        (check(on_timeout=FAIL), TIMED_OUT, FAIL),
        (check(on_timeout=FAIL), None, FAIL),
        (check(on_timeout=OK, on_error=FAIL), None, OK),
        (check(on_timeout=FAIL, mode=Mode.AUDIT), None, OK),
    ],
)
def test_one_check(planned: PlannedCheck, outcome: Outcome | None, result: Result) -> None:
    outcomes = {} if outcome is None else {"c": outcome}
    verdict = decide_verdict(plan(planned), outcomes, message_id="m-1", now=7.5)
    assert (verdict.result, verdict.decided_at) == (result, 7.5)
    assert verdict.reason is (Reason.DEADLINE if outcome is None else Reason.COMPLETE)
    assert verdict.tip.startswith(result.value)


@pytest.mark.parametrize("result", Result)
def test_a_plan_without_checks_has_the_policy_s_verdict(result: Result) -> None:
    verdict = decide_verdict(plan(verdict=result), {"other": BLOCKED}, message_id="m-1", now=0)
    assert (verdict.result, verdict.reason) == (result, Reason.DEFAULT)


def test_the_caller_may_set_the_reason() -> None:
    assert (
        decide_verdict(plan(), {}, message_id="m-1", now=0, reason=Reason.DEADLINE).reason is Reason.DEADLINE
    )


def test_the_tip_names_the_event_its_page_and_the_expiry_of_its_waivers() -> None:
    waiver = Waiver.model_validate(
        {
            "id": "W-1",
            "rule": "r",
            "reason": "known",
            "owner": "a",
            "approver": "b",
            "expires_at": "2026-12-01T18:00:00+08:00",
        }
    )
    finding = Finding("r", Severity.BLOCK, "m", waived=AppliedWaiver("W-1", "known"))
    verdict = decide_verdict(
        plan(check()),
        {"c": Outcome.of([finding])},
        message_id="m-1",
        now=waiver.expires_ts - 2 * DAY,
        waivers=Waivers((waiver,)),
        details_link="https://gate.example.com/events/m-1?t=1.x",
    )
    assert verdict.tip.splitlines() == [
        "OK: passed.",
        "Waived: 1 (W-1 until 2026-12-01 18:00+08:00, expires in 2 days)",
        "Details: https://gate.example.com/events/m-1?t=1.x",
        "Event m-1",
    ]


NAMES = [f"c{number}" for number in range(5)]
CHECKS = st.builds(
    PlannedCheck,
    st.sampled_from(NAMES),
    st.sampled_from(Mode),
    st.sampled_from(Result),
    st.sampled_from(Result),
    st.just({}),
)
PLANS = st.builds(
    Plan,
    st.lists(CHECKS, unique_by=lambda each: each.name).map(tuple),
    st.sampled_from(Result),
    st.sampled_from(Language),
    st.just("v"),
)
OUTCOMES = st.dictionaries(
    st.sampled_from(NAMES),
    st.one_of(
        st.lists(st.builds(Finding, st.just("r"), st.sampled_from(Severity), st.text())).map(Outcome.of),
        st.sampled_from([ERROR, TIMED_OUT, UNREVIEWABLE, Outcome(OutcomeKind.SKIPPED)]),
    ),
)


@settings(deadline=None)
@given(PLANS, OUTCOMES)
def test_the_most_severe_result_wins(planned: Plan, outcomes: dict[str, Outcome]) -> None:
    verdict = decide_verdict(planned, outcomes, message_id="m", now=0)
    counted = [each.effective_result(outcomes.get(each.name)) for each in planned.checks]
    assert verdict.result is (most_severe(*counted) if counted else planned.verdict)
    assert all(
        counts.severity_rank <= each.mode.max_result.severity_rank
        for counts, each in zip(counted, planned.checks, strict=True)
    )


@settings(deadline=None)
@given(PLANS, OUTCOMES, st.randoms(use_true_random=False))
def test_the_order_does_not_matter(
    planned: Plan, outcomes: dict[str, Outcome], shuffler: random.Random
) -> None:
    checks, items = list(planned.checks), list(outcomes.items())
    shuffler.shuffle(checks)
    shuffler.shuffle(items)
    other = Plan(tuple(checks), planned.verdict, planned.language, planned.policy)
    one = decide_verdict(planned, outcomes, message_id="m", now=0)
    two = decide_verdict(other, dict(items), message_id="m", now=0)
    assert (one.result, one.reason) == (two.result, two.reason)


@settings(deadline=None)
@given(PLANS, OUTCOMES)
def test_one_more_block_never_makes_it_milder(planned: Plan, outcomes: dict[str, Outcome]) -> None:
    before = decide_verdict(planned, outcomes, message_id="m", now=0)
    for each in planned.checks:
        outcome = outcomes.get(each.name)
        if outcome and outcome.kind in (FINDINGS, OutcomeKind.PASSED):
            worse = Outcome.of((*outcome.findings, Finding("r", Severity.BLOCK, "m")))
            after = decide_verdict(planned, {**outcomes, each.name: worse}, message_id="m", now=0)
            assert after.result.severity_rank >= before.result.severity_rank


@given(PLANS)
def test_a_plan_round_trips_through_json(planned: Plan) -> None:
    raw = planned.to_json()
    assert Plan.from_json(raw) == planned
    assert [item["name"] for item in raw["checks"]] == [each.name for each in planned.checks]


def test_a_plan_of_an_older_version_fails_what_is_unreviewable() -> None:
    raw = plan(check(on_unreviewable=OK)).to_json()
    del raw["checks"][0]["on_unreviewable"]
    assert Plan.from_json(raw).checks[0].on_unreviewable is FAIL
