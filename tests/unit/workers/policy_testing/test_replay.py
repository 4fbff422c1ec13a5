"""Recorded events under another policy: which checks run, which are reweighed, and what changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from common.ledger import EventRecord, State
from common.snapshot import FileSnapshot, Snapshot
from common.verdicts import AppliedWaiver, Finding, Outcome, OutcomeKind, Reason, Result, Severity, Verdict
from console.commands.replay import summary
from tests.support.records import EVENT, VERDICT, record
from workers.checks import registry
from workers.pipeline import planner
from workers.policy import policy
from workers.policy_testing.fake_lookups import FakeLookups
from workers.policy_testing.replay import (
    NEEDS_LOOKUPS,
    NO_CODE,
    ReplayedEvent,
    ReplayInputs,
    VerdictChange,
    replay_event,
)
from workers.policy_testing.world import CaseWorld
from workers.waivers.matching import Waivers
from workers.waivers.model import Waiver

CHECKS = registry.load_checks()
BLOCK = Finding("MC-S02", Severity.BLOCK, "DELETE without WHERE", fingerprint="f1")
WARN = Finding("MC-C05", Severity.WARN, "SELECT *")
CODE = Snapshot(file=FileSnapshot(1, "f", 10, "DELETE FROM shop.t;"))


def rules(points: dict[str, Any]) -> policy.Policy:
    return policy.parse_policy("new.yaml", orjson.dumps({"version": 1, "points": points}), CHECKS)


def one(check: str, point: str = "commit-file", **more: Any) -> policy.Policy:
    return rules({point: {"checks": {check: more}}})


def then(plan: policy.Policy, result: Result, point: str = "commit-file", **outcomes: Outcome) -> EventRecord:
    """Return an event that got `result` under `plan`, with outcomes by check name (`_` for `-`)."""
    event = replace(EVENT, event_code=point, data={"nodeIds": [1]})
    return replace(
        record(State.REPORTED),
        event=event,
        plan=planner.build_plan(event, plan, CHECKS),
        outcomes={name.replace("_", "-"): outcome for name, outcome in outcomes.items()},
        accepted_verdict=Verdict(result, "the tip", Reason.COMPLETE, event.received_at),
    )


def replayed(
    event: EventRecord, new: policy.Policy, *, snapshot: Snapshot | None = None, **means: Any
) -> ReplayedEvent:
    found = replay_event(event, snapshot, ReplayInputs(new, CHECKS, **means))
    assert found
    return found


REVIEW = one("code-review")
BLOCKED = then(REVIEW, Result.FAIL, code_review=Outcome.of([BLOCK, WARN]))


@pytest.mark.parametrize(
    ("new", "change", "now"),
    [
        (one("code-review"), VerdictChange.NONE, Result.FAIL),
        (one("code-review", mode="warn"), VerdictChange.PASSED, Result.WARN),
        (one("code-review", mode="audit"), VerdictChange.PASSED, Result.OK),
        (one("code-review", options={"severity": {"MC-S02": "warn"}}), VerdictChange.PASSED, Result.WARN),
        (one("code-review", options={"severity": {"MC-S02": "off"}}), VerdictChange.PASSED, Result.WARN),
        (one("code-review", enabled=False), VerdictChange.PASSED, Result.OK),
        (rules({}), VerdictChange.PASSED, Result.OK),
        (rules({"commit-file": {"verdict": "fail"}}), VerdictChange.NONE, Result.FAIL),
    ],
)
def test_recorded_findings_are_reweighed_if_the_code_is_no_longer_stored(
    new: policy.Policy, change: VerdictChange, now: Result
) -> None:
    found = replayed(BLOCKED, new)
    assert (found.change, found.new) == (change, now)
    assert set(found.reweighed.values()) <= {NO_CODE}
    assert found.unknown == {}


def test_a_newly_passed_event_names_the_check_that_blocked() -> None:
    assert replayed(BLOCKED, one("code-review", mode="audit")).deciding_checks == {"code-review": BLOCK}


def test_a_severity_set_by_the_old_policy_reverts_to_the_rule_s_own() -> None:
    old = one("code-review", options={"severity": {"MC-S02": "info"}})
    event = then(old, Result.OK, code_review=Outcome.of([replace(BLOCK, severity=Severity.INFO)]))
    found = replayed(event, REVIEW)
    assert (found.change, found.new) == (VerdictChange.BLOCKED, Result.FAIL)
    assert list(found.deciding_checks) == ["code-review"]


@pytest.mark.parametrize(
    ("rules", "change"),
    [
        ({"allow": ["info", "warn", "block"], "never": []}, VerdictChange.NONE),
        ({"allow": ["info", "warn"], "never": []}, VerdictChange.BLOCKED),
        ({"allow": ["info", "warn", "block"], "never": ["MC-S*"]}, VerdictChange.BLOCKED),
        ({"allow": ["info", "warn", "block"], "never": [], "min_reason": 40}, VerdictChange.BLOCKED),
        ({"allow": ["info", "warn", "block"], "never": [], "require_waiver": True}, VerdictChange.BLOCKED),
        ({}, VerdictChange.BLOCKED),
    ],
)
def test_suppressed_findings_stay_suppressed_if_the_policy_permits_it(
    rules: dict[str, object], change: VerdictChange
) -> None:
    known = Outcome.of([replace(BLOCK, suppressed="emptied by hand on purpose")])
    event = then(REVIEW, Result.OK, code_review=known)
    assert replayed(event, one("code-review", options={"suppressions": rules})).change is change


def test_errors_count_as_in_the_new_policy() -> None:
    failed = then(REVIEW, Result.WARN, code_review=Outcome(OutcomeKind.ERROR, detail="no"))
    assert replayed(failed, one("code-review", on_error="fail")).change is VerdictChange.BLOCKED
    late = then(REVIEW, Result.WARN)
    assert replayed(late, one("code-review", on_timeout="ok")).change is VerdictChange.CLEARED


def test_recorded_gaps_count_as_in_the_new_policy() -> None:
    gap = Outcome(OutcomeKind.UNREVIEWABLE, (replace(BLOCK, severity=Severity.INFO),), "line 3")
    recorded = then(REVIEW, Result.WARN, code_review=gap)
    assert replayed(recorded, one("code-review")).change is VerdictChange.BLOCKED
    assert replayed(recorded, one("code-review", on_unreviewable="warn")).change is VerdictChange.NONE
    assert replayed(recorded, one("code-review", on_unreviewable="ok")).change is VerdictChange.CLEARED


def test_checks_without_lookups_run_as_of_the_time_of_the_verdict() -> None:
    closed = {"closed": [{"dates": ["2026-05-28..2026-05-29"]}]}
    event = then(rules({}), Result.OK, point="freeze-node")
    found = replayed(event, one("release-window", "freeze-node", options=closed))
    assert (found.change, found.reweighed, found.unknown) == (VerdictChange.BLOCKED, {}, {})
    (finding,) = found.deciding_checks.values()
    assert finding
    assert finding.rule == "release-window"
    later = {"closed": [{"dates": ["2026-06-28"]}]}
    assert replayed(event, one("release-window", "freeze-node", options=later)).change is VerdictChange.NONE


def test_a_check_that_cannot_be_evaluated_leaves_the_change_undetermined() -> None:
    event = then(rules({}), Result.OK, point="freeze-node")
    found = replayed(event, one("downstream-impact", "freeze-node"))
    assert (found.change, found.unknown) == (VerdictChange.UNKNOWN, {"downstream-impact": NEEDS_LOOKUPS})


@pytest.mark.parametrize(("mode", "change"), [("audit", VerdictChange.NONE), ("warn", VerdictChange.UNKNOWN)])
def test_a_check_that_cannot_change_the_result_does_not_matter(mode: str, change: VerdictChange) -> None:
    event = then(rules({}), Result.OK, point="freeze-node")
    assert replayed(event, one("downstream-impact", "freeze-node", mode=mode)).change is change


def test_a_blocked_event_is_not_undetermined() -> None:
    new = rules(
        {
            "freeze-node": {
                "checks": {
                    "release-window": {"options": {"closed": [{"from": "00:00"}]}},
                    "downstream-impact": {},
                }
            }
        }
    )
    found = replayed(then(rules({}), Result.OK, point="freeze-node"), new)
    assert (found.change, list(found.deciding_checks)) == (VerdictChange.BLOCKED, ["release-window"])


def test_with_lookups_checks_are_run_again() -> None:
    new = one("frozen-parents", "unfreeze-node")
    world = CaseWorld.model_validate({"nodes": {1: {"parents": [2]}, 2: {"scheduler": "PAUSE"}}})
    event = then(new, Result.OK, point="unfreeze-node", frozen_parents=Outcome.of([]))
    found = replayed(event, new, lookups=FakeLookups(world, 1))
    assert (found.change, found.reweighed) == (VerdictChange.BLOCKED, {})
    assert replayed(event, new).reweighed == {"frozen-parents": NEEDS_LOOKUPS}


def test_a_failed_lookup_keeps_the_recorded_findings() -> None:
    new = one("frozen-parents", "unfreeze-node")
    world = CaseWorld.model_validate({"failing": ["node_parents", "node"]})
    event = then(new, Result.OK, point="unfreeze-node", frozen_parents=Outcome.of([]))
    found = replayed(event, new, lookups=FakeLookups(world, 1))
    assert found.change is VerdictChange.NONE
    assert found.reweighed["frozen-parents"].startswith("lookup failed: ")


def test_stored_code_is_reviewed_again() -> None:
    new = one("code-review", options={"severity": {"MC-S02": "warn", "MC-C14": "off"}})
    passed = then(rules({}), Result.OK)
    found = replayed(passed, new, snapshot=CODE, lookups=FakeLookups(CaseWorld(), 1))
    assert (found.change, found.reweighed, found.unknown) == (VerdictChange.WARNED, {}, {})
    assert replayed(passed, new).unknown == {"code-review": NO_CODE}


@pytest.mark.parametrize(
    ("ends", "change"), [("2026-12-01", VerdictChange.NONE), ("2026-01-01", VerdictChange.BLOCKED)]
)
def test_waivers_apply_as_of_the_time_of_the_verdict(ends: str, change: VerdictChange) -> None:
    waiver = Waiver.model_validate(
        {
            "id": "W-1",
            "rule": "MC-S02",
            "reason": "known",
            "owner": "19",
            "approver": "20",
            "expires_at": f"{ends}T00:00:00+08:00",
        }
    )
    event = then(
        REVIEW, Result.OK, code_review=Outcome.of([replace(BLOCK, waived=AppliedWaiver("W-0", "gone"))])
    )
    assert replayed(event, REVIEW, waivers=Waivers((waiver,))).change is change


def test_a_waiver_that_expired_while_the_event_was_queued_did_not_count() -> None:
    fields = {"id": "W-1", "rule": "MC-S02", "reason": "known", "owner": "19", "approver": "20"}
    expires_at = datetime.fromtimestamp(EVENT.received_at + 30, UTC)
    waivers = Waivers((Waiver.model_validate({**fields, "expires_at": expires_at.isoformat()}),))
    event = then(REVIEW, Result.FAIL, code_review=Outcome.of([BLOCK]))
    queued = Verdict(Result.FAIL, "the tip", Reason.COMPLETE, EVENT.received_at + 31)
    assert replayed(event, REVIEW, waivers=waivers).change is VerdictChange.PASSED
    late = replace(event, accepted_verdict=queued)
    assert replayed(late, REVIEW, waivers=waivers).change is VerdictChange.NONE


def test_events_disabled_in_dataworks_stay_disabled() -> None:
    event = then(rules({}), Result.OK)
    assert event.plan
    off = replace(event, plan=replace(event.plan, disabled_reason="extension.project.disabled"))
    assert replayed(off, rules({"commit-file": {"verdict": "fail"}})).change is VerdictChange.NONE
    assert replayed(event, rules({"commit-file": {"verdict": "fail"}})).change is VerdictChange.BLOCKED


@pytest.mark.parametrize("skipped", [record(State.RECEIVED), record(State.DEAD, verdict=VERDICT)])
def test_an_event_without_an_accepted_verdict_is_skipped(skipped: EventRecord) -> None:
    assert replay_event(skipped, None, ReplayInputs(REVIEW, CHECKS)) is None


def test_an_event_is_compared_with_the_accepted_verdict_and_not_with_a_rerun() -> None:
    event = replace(then(rules({}), Result.OK), run=2, verdict=VERDICT, accepted_run=1)
    assert VERDICT.result is Result.FAIL
    assert replayed(event, rules({})).change is VerdictChange.NONE


def test_an_event_lost_in_transit_cannot_run() -> None:
    event = then(one("backfill-limits", "backfill-data"), Result.WARN, point="backfill-data")
    lost = replace(event, event=replace(event.event, recovered=True))
    found = replayed(lost, one("backfill-limits", "backfill-data", on_error="fail"))
    assert found.change is VerdictChange.BLOCKED


def test_the_summary_counts_by_check_workspace_and_author() -> None:
    new = one("code-review", mode="warn")
    passed = then(REVIEW, Result.OK, code_review=Outcome.of([]))
    told = summary([replayed(BLOCKED, new), replayed(BLOCKED, new), replayed(passed, new)], "v")
    assert told["counts"] == {
        "newly blocked": 0,
        "newly passed": 2,
        "newly warned": 0,
        "no longer warned": 0,
        "unchanged": 1,
        "undetermined": 0,
    }
    assert told["unchanged"] == {"OK": 1}
    assert told["by_check"] == {"code-review": {"newly passed": 2}}
    assert told["by_workspace"] == {"93124": {"newly passed": 2}}
    assert told["by_author"] == {"1923456789012735": {"newly passed": 2}}
    first = told["events"][0]
    assert (first["previous"], first["new"], first["reweighed"]) == ("FAIL", "WARN", {"code-review": NO_CODE})
    assert first["because"]["code-review"]["rule"] == "MC-S02"
