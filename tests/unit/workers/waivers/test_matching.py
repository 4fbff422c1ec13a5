"""Waivers: what each covers, what it does not, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from common.events import Event
from common.snapshot import FileSnapshot, Snapshot
from common.subjects.event_subject import EventSubject, subject_of
from common.verdicts import AppliedWaiver, Finding, Outcome, OutcomeKind, Severity, Subject, SubjectKind
from workers.recovery import reconciler
from workers.services import Services
from workers.waivers.matching import DAY, Waivers, apply_waivers, waiver_of
from workers.waivers.model import Waiver, WaiverRules

NOW = datetime.fromisoformat("2026-11-20T10:00:00+08:00").timestamp()
DELETE = Finding("MC-C14", Severity.BLOCK, "DELETE changes every row of t.", 12, code_digest="aa")


def event(code: str = "freeze-node", **data: Any) -> Event:
    return Event("e-1", code, 93124, "1923", True, data, NOW)


FREEZE = subject_of("downstream-impact", event(nodeIds=[700123, 700124]), None)
FILE = Snapshot(file=FileSnapshot(501, "dwd_order_di", 10, "select 1", node_id=700123))
COMMIT = subject_of(
    "code-review", event("commit-file", fileId=501, fileName="dwd_order_di", nodeId=700123), FILE
)


def fingerprint(finding: Finding, what: EventSubject) -> str:
    (item,) = apply_waivers(Outcome.of([finding]), what, Waivers(), NOW).findings
    return str(item.fingerprint)


OWN = fingerprint(DELETE, COMMIT)


def impact(node: int, count: int = 3) -> Finding:
    message = f"{count} live nodes depend on node {node}: ads_a, ads_b."
    subjects = (Subject(SubjectKind.NODE, str(node)),)
    return Finding("downstream-nodes", Severity.BLOCK, message, subjects=subjects)


def waiver(**fields: Any) -> Waiver:
    given = {"id": "W-1", "reason": "known", "owner": "a", "approver": "b"} | fields
    return Waiver.model_validate({"expires_at": "2026-12-01T18:00:00+08:00", **given})


def waived(finding: Finding, what: EventSubject, *waivers: Waiver, now: float = NOW) -> str | None:
    (item,) = apply_waivers(Outcome.of([finding]), what, Waivers(waivers), now).findings
    own: dict[str, Any] = {"waived": None, "fingerprint": None, "subjects": ()}
    assert replace(item, **own) == replace(finding, **own)
    return str(item.waived) if item.waived else None


@pytest.mark.parametrize(
    "fields",
    [
        {"rule": "MC-C14"},
        {"rule": "mc-c*"},
        {"check": "code-review"},
        {"check": "*", "fingerprint": OWN},
        {"rule": "MC-C14", "fingerprint": OWN, "scope": {"projects": [93124], "file_ids": [501]}},
        {"rule": "MC-C14", "pattern": "every row of t"},
        {"rule": "*", "scope": {"projects": [93124]}},
        {"rule": "*", "scope": {"points": ["deploy-file", "commit-file"]}},
        {"rule": "*", "scope": {"files": ["DWD_order_*"]}},
        {"rule": "*", "scope": {"file_ids": [501]}},
        {"rule": "*", "scope": {"node_ids": [700123]}},
        {"rule": "*", "scope": {"node_ids": ["700123"], "files": ["dwd_*"]}},
        {"rule": "*", "scope": {"nodes": ["dwd_order_di"]}},
    ],
)
def test_a_matching_waiver_covers_a_finding(fields: dict[str, Any]) -> None:
    assert waived(DELETE, COMMIT, waiver(**fields)) == "W-1: known"


@pytest.mark.parametrize(
    "fields",
    [
        {"rule": "MC-C1"},
        {"rule": "MC-C14", "check": "release-window"},
        {"rule": "MC-C14", "fingerprint": "aa"},
        {"rule": "MC-C15", "fingerprint": OWN},
        {"check": "change-impact", "fingerprint": OWN},
        {"rule": "MC-C14", "fingerprint": OWN, "scope": {"projects": [93125]}},
        {"rule": "MC-C14", "fingerprint": OWN, "scope": {"files": ["other"]}},
        {"rule": "MC-C14", "scope": {"file_ids": [502]}},
        {"rule": "MC-C14", "scope": {"file_ids": [700123]}},
        {"rule": "MC-C14", "scope": {"node_ids": [501]}},
        {"rule": "MC-C14", "scope": {"node_ids": [700123], "nodes": ["ads_*"]}},
        {"rule": "MC-C14", "scope": {"nodes": ["7001*"]}},
        {"rule": "MC-C14", "scope": {"files": ["50?"]}},
        {"rule": "MC-C14", "pattern": "^changes"},
        {"rule": "MC-C14", "scope": {"projects": [93125]}},
        {"rule": "MC-C14", "scope": {"points": ["deploy-file"]}},
        {"rule": "MC-C14", "scope": {"files": ["dwd_order"]}},
        {"rule": "MC-C14", "scope": {"files": ["dwd_*"], "nodes": ["ads_*"]}},
        {"rule": "MC-C14", "scope": {"tables": ["*"]}},
    ],
)
def test_a_waiver_with_one_condition_that_does_not_match_covers_nothing(fields: dict[str, Any]) -> None:
    assert waived(DELETE, COMMIT, waiver(**fields)) is None


def test_a_waiver_covers_nothing_from_its_expiry_on() -> None:
    one = waiver(rule="*14")
    assert waived(DELETE, COMMIT, one, now=one.expires_ts - 0.001) == "W-1: known"
    assert waived(DELETE, COMMIT, one, now=one.expires_ts) is None


def test_the_expiry_is_in_its_zone() -> None:
    here, there = (waiver(rule="*4", expires_at=f"2026-12-01T18:00:00{zone}") for zone in ("+08:00", "Z"))
    assert there.expires_ts - here.expires_ts == 8 * 3600


def test_an_earlier_mark_is_removed_when_no_waiver_covers_the_finding() -> None:
    marked = replace(DELETE, waived=AppliedWaiver("W-0", "gone from the file"))
    assert waived(marked, COMMIT) is None
    assert waived(marked, COMMIT, waiver(rule="MC-C14")) == "W-1: known"


def test_the_waiver_that_expires_last_is_named() -> None:
    later = waiver(id="W-2", rule="MC-*", expires_at="2026-12-02T00:00:00Z")
    sooner = waiver(id="W-3", rule="MC-*", expires_at="2026-11-21T00:00:00Z")
    assert waived(DELETE, COMMIT, waiver(rule="MC-*"), later, sooner) == "W-2: known"


def test_a_suppressed_finding_needs_no_waiver() -> None:
    assert waived(replace(DELETE, suppressed="small"), COMMIT, waiver(rule="MC-C14")) is None


def test_a_waiver_for_one_node_covers_no_other_node_of_the_event() -> None:
    one = waiver(rule="downstream-nodes", scope={"node_ids": [700123]})
    assert waived(impact(700123), FREEZE, one) == "W-1: known"
    assert waived(impact(700124), FREEZE, one) is None


def test_a_finding_without_subjects_is_about_all_nodes_of_the_event() -> None:
    told = Finding("not-checked", Severity.WARN, "The lineage was not checked.")
    assert waived(told, FREEZE, waiver(rule="*", scope={"node_ids": [700123]})) is None
    assert waived(told, FREEZE, waiver(rule="*", scope={"node_ids": [700123, 700124]})) == "W-1: known"


def test_a_node_id_with_the_same_prefix_does_not_match() -> None:
    freeze = subject_of("downstream-impact", event(nodeIds=[70012, 700123]), None)
    one = waiver(rule="downstream-nodes", scope={"node_ids": [70012]})
    assert waived(impact(700123), freeze, one) is None
    assert waived(impact(70012), freeze, one) == "W-1: known"


@pytest.mark.parametrize(
    ("code", "data", "glob"),
    [
        ("commit-table", {"tableName": "dwd_order", "maxComputeProject": "shop_dev"}, "shop_dev.dwd_order"),
        ("commit-table", {"tableName": "dwd_order"}, "dwd_*"),
        ("upload-data-to-table", {"tableGuid": "odps.mc_shop.test_table"}, "mc_shop.test_*"),
        ("batch-create-data-quality-rules", {"target": {"tableGuid": "odps.p.t"}}, "odps.p.t"),
    ],
)
def test_tables_match_by_any_of_their_names(code: str, data: dict[str, Any], glob: str) -> None:
    told = Finding("table-comment", Severity.WARN, "The table has no comment.")
    assert waived(
        told, subject_of("c", event(code, **data), None), waiver(rule="*", scope={"tables": [glob]})
    )
    assert not waived(
        told, subject_of("c", event(code, **data), None), waiver(rule="*", scope={"tables": ["x"]})
    )


@pytest.mark.parametrize(
    "data",
    [{"nodeIds": "700123"}, {"nodeIds": [None, {}, True]}, {"target": 3}, {"tableGuid": 4}, {"fileName": []}],
)
def test_values_of_wrong_types_are_no_subjects(data: dict[str, Any]) -> None:
    found = subject_of("c", event("freeze-node", **data), None)
    assert found.items == ()


def test_outcomes_without_findings_are_unchanged() -> None:
    for outcome in (Outcome(OutcomeKind.ERROR, detail="no"), Outcome(OutcomeKind.SKIPPED), Outcome.of([])):
        assert (
            apply_waivers(outcome, COMMIT, Waivers((waiver(check="*", rule="*", pattern=""),)), NOW)
            is outcome
        )


FINDINGS = st.builds(
    Finding, st.sampled_from(["MC-C14", "b"]), st.sampled_from(Severity), st.text("ab 1", max_size=9)
)


@given(st.lists(FINDINGS, max_size=5), st.floats(-10 * DAY, 30 * DAY))
def test_applying_twice_equals_applying_once(findings: list[Finding], later: float) -> None:
    waivers = Waivers((waiver(rule="MC-*"), waiver(id="W-2", check="code-review", pattern="a+b")))
    once = apply_waivers(Outcome.of(findings), COMMIT, waivers, NOW + later)
    assert apply_waivers(once, COMMIT, waivers, NOW + later) == once
    assert [item.rule for item in once.findings] == [item.rule for item in findings]
    if NOW + later >= waivers.items[0].expires_ts:
        assert not any(map(waiver_of, once.findings))


def test_expiring_waivers_are_in_order_of_expiry() -> None:
    def ends(id_: str, at: str) -> Waiver:
        return waiver(id=id_, rule="a", expires_at=at)

    items = (
        ends("gone", "2026-11-20T09:00:00+08:00"),
        ends("week", "2026-11-27T10:00:00+08:00"),
        ends("day", "2026-11-21T09:00:00+08:00"),
        ends("far", "2026-11-27T10:00:01+08:00"),
    )
    assert [item.id for item in Waivers(items).expiring(NOW)] == ["day", "week"]
    assert Waivers(items, WaiverRules(announce_days=0)).expiring(NOW) == ()


def test_the_leader_warns_of_expiring_waivers() -> None:
    soon = waiver(rule="a", expires_at="2026-11-21T09:00:00+08:00")
    services = cast(Services, SimpleNamespace(waivers=Waivers((soon, waiver(id="W-2", rule="a")))))
    with structlog.testing.capture_logs() as logs:
        reconciler.warn_expiring_waivers(services, NOW)
    assert [(log["event"], log["id"], log["log_level"]) for log in logs] == [
        ("waiver_expiring", "W-1", "warning")
    ]


@pytest.mark.parametrize("name", ["n_in_production", "dwd_order_di"])
def test_a_node_matches_by_the_name_in_its_event_too(name: str) -> None:
    node = Subject(SubjectKind.NODE, "700123", "n_in_production")
    found = Finding("downstream-nodes", Severity.BLOCK, "m", subjects=(node,))
    assert apply_waivers(
        Outcome.of([found]), COMMIT, Waivers((waiver(rule="*", scope={"nodes": [name]}),)), NOW
    ) != (apply_waivers(Outcome.of([found]), COMMIT, Waivers(), NOW))


SPOOFED = "700123"


@pytest.mark.parametrize(
    ("scope", "subject"),
    [
        ({"node_ids": [700123]}, Subject(SubjectKind.NODE, "999999", SPOOFED)),
        ({"node_ids": [700123]}, Subject(SubjectKind.NODE, None, SPOOFED)),
        ({"node_ids": [700123]}, Subject(SubjectKind.NODE, "999999", "x", (SPOOFED,))),
        ({"file_ids": [700123]}, Subject(SubjectKind.FILE, "999999", SPOOFED)),
        ({"file_ids": [700123]}, Subject(SubjectKind.FILE, None, SPOOFED)),
        ({"table_ids": ["odps.shop.t"]}, Subject(SubjectKind.TABLE, "odps.mine.odps.shop.t", "odps.shop.t")),
        ({"table_ids": ["odps.shop.t"]}, Subject(SubjectKind.TABLE, None, "odps.shop.t")),
    ],
)
def test_no_name_matches_an_id(scope: dict[str, Any], subject: Subject) -> None:
    other = subject_of("c", event("commit-file", fileName="n"), None)
    found = Finding("r", Severity.BLOCK, "m", subjects=(subject,))
    assert waived(found, other, waiver(rule="*", scope=scope)) is None


def test_a_file_named_like_a_node_id_is_not_that_node() -> None:
    spoofed = subject_of(
        "code-review", event("commit-file", fileId=502, fileName=SPOOFED, nodeId=999999), FILE
    )
    assert waived(DELETE, spoofed, waiver(rule="*", scope={"node_ids": [700123]})) is None
    assert waived(DELETE, spoofed, waiver(rule="*", scope={"node_ids": [999999]})) == "W-1: known"


def test_a_table_matches_by_its_full_name() -> None:
    table = subject_of("c", event("commit-table", tableName="Orders", maxComputeProject="Shop"), None)
    told = Finding("table-comment", Severity.WARN, "The table has no comment.")
    assert waived(told, table, waiver(rule="*", scope={"table_ids": ["odps.shop.orders"]})) == "W-1: known"
    assert waived(told, table, waiver(rule="*", scope={"table_ids": ["odps.shop_dev.orders"]})) is None


def test_a_fingerprint_covers_no_other_file_or_workspace() -> None:
    one = waiver(rule="MC-C14", fingerprint=OWN)
    assert waived(DELETE, COMMIT, one) == "W-1: known"
    other_file = subject_of("code-review", event("commit-file", fileId=502, fileName="dwd_order_di"), None)
    elsewhere = replace(COMMIT, project=99999)
    assert [waived(DELETE, what, one) for what in (other_file, elsewhere)] == [None, None]


def test_waivers_that_a_stricter_policy_forbids_stop_applying() -> None:
    own = waiver(id="W-1", rule="*4", owner="Ann", approver="ann")
    other = waiver(id="W-2", rule="*4", owner="ann", approver="bob")
    waivers = Waivers((own, other))
    stricter = WaiverRules(separate_approver=True, announce_days=1)
    assert waivers.under(stricter) == Waivers((other,), stricter)
    assert waivers.under(WaiverRules(approvers=("ann",))).items == (own,)
    assert waivers.under(WaiverRules(approvers=("eve",))).items == ()
    assert waivers.under(WaiverRules()) is waivers


def test_a_pattern_is_searched_in_the_english_message() -> None:
    translated = replace(DELETE, message="DELETE 会修改 t 的所有行。", english=DELETE.message)
    assert waived(translated, COMMIT, waiver(rule="*", pattern="every row of t")) == "W-1: known"
    assert waived(translated, COMMIT, waiver(rule="*", pattern="所有行")) is None


def test_a_slow_pattern_and_a_long_message_take_no_time() -> None:
    long = Finding("r", Severity.WARN, "a" * 100_000)
    for pattern in ("(a|a)*b", "(a|aa)+$b", "(?:a?){28}a{28}b", r"(\w*)*\W"):
        assert waived(long, COMMIT, waiver(rule="*", pattern=pattern)) is None
    assert waived(long, COMMIT, waiver(rule="*", pattern="^a{500}$")) == "W-1: known"
