"""Plans: rollout shares, disabled workspaces and node types, and settings that depend on the snapshot."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import pytest

from common.events import Event
from common.plan import Mode, Plan
from common.snapshot import FileSnapshot, Snapshot, TableSnapshot
from common.verdicts import Outcome, OutcomeKind, Reason, Result
from workers.checks import registry
from workers.extension_options.parameters import parse_parameters as parameters
from workers.extension_options.source import ExtensionSettings
from workers.pipeline import planner
from workers.pipeline.decision import decide_verdict
from workers.policy.policy import Policy, parse_policy

CHECKS = registry.load_checks()

POLICY = """\
version: 1
language: {language}
defaults: {{share: 0.3}}
points:
  commit-file: {{checks: {{code-review: {{}}, release-window: {{share: 1}}}}}}
  delete-file: {{verdict: warn}}
where:
  - types: [odps_sql]
    paths: ["tmp_*", "shop_dev.tmp_*"]
    points: {{commit-file: {{checks: {{code-review: {{mode: warn, share: 1}}}}}}}}
  - paths: [shop_dev.tmp_*]
    points: {{commit-table: {{checks: {{table-design: {{}}}}}}}}
console: [release-window.mode]
"""


@cache
def policy(language: str = "en") -> Policy:
    """Return a policy."""
    return parse_policy("p", POLICY.format(language=language).encode(), CHECKS)


def event(code: str = "commit-file", message_id: str = "m-1", **data: Any) -> Event:
    """Return an event with this data."""
    return Event(message_id, code, 7, None, True, data, time.time())


def modes(planned: Plan) -> dict[str, Mode]:
    """Return the mode of each check."""
    return {check.name: check.mode for check in planned.checks}


def test_only_the_share_gets_the_mode_and_a_redelivery_gets_the_same() -> None:
    plans = [planner.build_plan(event(message_id=f"m-{number}"), policy(), CHECKS) for number in range(1000)]
    again = [planner.build_plan(event(message_id=f"m-{number}"), policy(), CHECKS) for number in range(1000)]
    assert plans == again
    enforced = sum(modes(planned)["code-review"] is Mode.ENFORCE for planned in plans)
    assert 250 < enforced < 350
    assert {modes(planned)["code-review"] for planned in plans} == {Mode.ENFORCE, Mode.AUDIT}
    assert {modes(planned)["release-window"] for planned in plans} == {Mode.ENFORCE}
    assert {check.share for check in plans[0].checks} == {0.3, 1}


@pytest.mark.parametrize(("share", "among"), [(0, 0), (1, 500)])
def test_none_and_all_are_exact(share: float, among: int) -> None:
    assert sum(planner.in_rollout(f"m-{number}", "c", share) for number in range(500)) == among


def test_shares_are_independent_per_check_and_a_larger_share_includes_a_smaller_one() -> None:
    ids = [f"m-{number}" for number in range(500)]
    assert [planner.in_rollout(each, "a", 0.5) for each in ids] != [
        planner.in_rollout(each, "b", 0.5) for each in ids
    ]
    assert all(planner.in_rollout(each, "a", 0.5) for each in ids if planner.in_rollout(each, "a", 0.2))


def test_the_plan_round_trips_through_json() -> None:
    planned = planner.build_plan(event(), policy(), CHECKS)
    assert Plan.from_json(planned.to_json()) == planned
    older = planned.to_json()
    for check in older["checks"]:
        del check["share"]
    del older["off"], older["ignored"]
    assert modes(Plan.from_json(older)) == modes(planned)


@pytest.mark.parametrize("file_type", [10, "10"])
def test_a_complete_event_needs_no_snapshot(file_type: object) -> None:
    about = event(fileName="TMP_x", fileType=file_type)
    planned = planner.build_plan(about, policy(), CHECKS)
    assert modes(planned)["code-review"] is Mode.WARN
    assert not planner.needs_subject(about, policy())


@pytest.mark.parametrize(
    "data", [{}, {"fileName": 7, "fileType": None}, {"fileName": "tmp_x", "fileType": "x"}]
)
def test_an_incomplete_event_needs_the_snapshot(data: dict[str, Any]) -> None:
    about = event(**data)
    assert planner.needs_subject(about, policy())
    snapshot = Snapshot(file=FileSnapshot(1, "tmp_x", 10, ""))
    assert modes(planner.build_plan(about, policy(), CHECKS, snapshot))["code-review"] is Mode.WARN


def test_tables_are_identified_by_name_and_project() -> None:
    about = event("commit-table", tableName="tmp_x", maxComputeProject="shop_dev")
    assert modes(planner.build_plan(about, policy(), CHECKS))
    unknown = event("commit-table")
    assert planner.needs_subject(unknown, policy())
    snapshot = Snapshot(table=TableSnapshot("tmp_x", "PROD", "", None))
    assert not modes(planner.build_plan(unknown, policy(), CHECKS, snapshot))


def test_points_without_where_never_need_the_subject() -> None:
    for code in ("delete-file", "freeze-node"):
        assert not planner.needs_subject(event(code), policy())


OFF = ExtensionSettings(parameters("extension.project.commit-file.disabled=7"))


def test_a_disabled_workspace_gets_ok_with_the_reason() -> None:
    planned = planner.build_plan(event(), policy(), CHECKS, settings=OFF)
    verdict = decide_verdict(planned, {}, message_id="m-1", now=0)
    assert (verdict.result, verdict.reason) == (Result.OK, Reason.DEFAULT)
    assert "dwgate is disabled in workspace 7 (extension.project.commit-file.disabled)." in verdict.tip
    assert Plan.from_json(planned.to_json()) == planned
    assert not planner.needs_subject(event(), policy(), OFF)
    assert not planner.needs_snapshot(planned, CHECKS)


def test_the_reason_is_in_the_policy_s_language() -> None:
    planned = planner.build_plan(event(), policy("zh"), CHECKS, settings=OFF)
    assert planned.disabled_reason
    assert "停用" in planned.disabled_reason


def test_a_disabled_node_type() -> None:
    off = ExtensionSettings(parameters("extension.fileType.10.commit-file.enabled=false"))
    assert planner.build_plan(event(fileType=10), policy(), CHECKS, settings=off).disabled_reason
    assert not planner.build_plan(event(fileType=23), policy(), CHECKS, settings=off).disabled_reason
    snapshot = Snapshot(file=FileSnapshot(1, "x", 10, ""))
    assert planner.build_plan(event(), policy(), CHECKS, snapshot, off).disabled_reason
    lax = parse_policy("p", b"version: 1\npoints: {}", CHECKS)
    assert planner.needs_subject(event(), lax, off)
    assert not planner.needs_subject(event(), lax)
    assert not planner.needs_subject(event(fileName="x", fileType=10), lax, off)
    assert not planner.needs_subject(event("deploy-file"), lax, off)


def test_console_settings_are_merged_over_the_policy() -> None:
    lax = parse_policy("p", b"version: 1\nconsole: [release-window.mode]\npoints: "
                b"{run-file: {checks: {release-window: {mode: audit}}}}", CHECKS)  # fmt: skip
    set_ = ExtensionSettings(options='{"release_window__mode": "enforce", "x": 1}')
    planned = planner.build_plan(event("run-file"), lax, CHECKS, settings=set_)
    assert modes(planned) == {"release-window": Mode.ENFORCE}
    assert planned.ignored_options == ("1 options are not listed in the policy",)
    missing = decide_verdict(planned, {}, message_id="m", now=0)
    assert missing.result is Result.WARN
    failed = {"release-window": Outcome(OutcomeKind.ERROR, detail="x")}
    assert decide_verdict(planned, failed, message_id="m", now=0).result is Result.WARN


SQL = FileSnapshot(1, "x", 10, "SELECT 1")
WITHOUT_CODE = FileSnapshot(1, "x", 10, "", has_content=False)
TABLE = TableSnapshot("t", "PROD", "", None)
FILE_POINTS = ("commit-file", "deploy-file", "run-file", "review-file")
TABLE_POINTS = ("commit-table", "deploy-table")
CHECKABLE = [
    *((code, Snapshot(file=SQL)) for code in (*FILE_POINTS, "delete-file")),
    *((code, Snapshot(file=FileSnapshot(1, "x", 10, ""))) for code in FILE_POINTS),
    *((code, Snapshot(table=TABLE)) for code in TABLE_POINTS),
    ("delete-file", Snapshot(file=WITHOUT_CODE)),
    ("freeze-node", Snapshot()),
    ("commit-file", Snapshot(file=FileSnapshot(1, "virtual", 99, "", has_content=False))),
    ("commit-file", Snapshot(file=FileSnapshot(1, "x", 10, "", change_type="DELETE", has_content=False))),
]
NOT_CHECKABLE = [
    *((code, Snapshot(), "no file") for code in (*FILE_POINTS, "delete-file")),
    *((code, Snapshot(table=TABLE), "no file") for code in FILE_POINTS),
    *((code, Snapshot(file=WITHOUT_CODE), "without its code") for code in FILE_POINTS),
    ("run-file", Snapshot(file=FileSnapshot(1, "", None, "", has_content=False)), "without its code"),
    *((code, Snapshot(), "no table") for code in TABLE_POINTS),
    *((code, Snapshot(file=SQL), "no table") for code in TABLE_POINTS),
    *((code, Snapshot(table=TableSnapshot("", None, "", None)), "no table") for code in TABLE_POINTS),
]


@pytest.mark.parametrize(("code", "snapshot"), CHECKABLE)
def test_a_snapshot_with_what_the_operation_works_on_is_complete(code: str, snapshot: Snapshot) -> None:
    assert planner.missing_input(event(code), snapshot) is None


@pytest.mark.parametrize(("code", "snapshot", "reason"), NOT_CHECKABLE)
def test_without_its_part_of_the_snapshot_no_check_passes(code: str, snapshot: Snapshot, reason: str) -> None:
    missing = planner.missing_input(event(code), snapshot)
    assert missing
    assert reason in missing
    planned = planner.build_plan(event(code), parse_policy("p", ALL_POINTS, CHECKS), CHECKS, snapshot)
    outcomes = planner.unrunnable_outcomes(event(code), planned, CHECKS, missing)
    needing = {name for name in modes(planned) if CHECKS[name].needs_snapshot}
    assert {name: outcome.kind for name, outcome in outcomes.items()} == dict.fromkeys(
        needing, OutcomeKind.ERROR
    )


def test_the_deletion_of_a_file_needs_no_file() -> None:
    assert planner.missing_input(event(changeType="2"), Snapshot()) is None


ALL_POINTS = b"""\
version: 1
points:
  commit-file: {checks: {code-review: {}, change-impact: {}, declared-inputs: {}, schedule-consistency: {}}}
  deploy-file: {checks: {code-review: {}, change-impact: {}, declared-inputs: {}, schedule-consistency: {}}}
  review-file: {checks: {code-review: {}}}
  run-file: {checks: {code-review: {}, adhoc-writes: {}}}
  commit-table: {checks: {table-design: {}, table-change: {}}}
  deploy-table: {checks: {table-design: {}, table-change: {}}}
"""
