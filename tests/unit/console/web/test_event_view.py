"""The event page's view model: states, findings, code, waivers, runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from common.contact import Contact
from common.ledger import EventRecord, State, TimelineEntry
from common.plan import Mode, Plan, PlannedCheck
from common.snapshot import FileSnapshot, Snapshot
from common.text.i18n import Language
from common.verdicts import (
    AppliedWaiver,
    Finding,
    Outcome,
    OutcomeKind,
    Reason,
    Result,
    Severity,
    Verdict,
)
from console.web.texts.event import EVENT as TEXTS
from console.web.views.event_state import PageState, find_state
from console.web.views.event_view import EventView, build_event
from console.web.views.findings_view import FindingsQuery
from console.web.views.impact_view import ImpactQuery
from tests.support.records import EVENT, record

BLOCK = Finding("MC-S02", Severity.BLOCK, "The column a of t is dropped.", line=2, column=1, end_column=5)
WARN = Finding("MC-P04", Severity.WARN, "All columns are read.", line=1)
INFO = Finding("MC-N05", Severity.INFO, "A remark.")
CODE = "SELECT * FROM t;\nDROP TABLE t;\n"
SNAPSHOT = Snapshot(file=FileSnapshot(1, "orders", 10, CODE, node_id=7))


def check(name: str = "code-review", mode: Mode = Mode.ENFORCE, **fields: Any) -> PlannedCheck:
    return PlannedCheck(name, mode, Result.WARN, Result.FAIL, **fields)


def answered(
    result: Result, outcomes: Mapping[str, Outcome], *checks: PlannedCheck, **fields: Any
) -> EventRecord:
    plan = Plan(checks or (check(),), Result.OK, Language.ENGLISH, "p", fields.pop("disabled_reason", None))
    verdict = Verdict(result, "tip", fields.pop("reason", Reason.COMPLETE), 1_780_000_001.0)
    answer = {
        "plan": plan,
        "outcomes": dict(outcomes),
        "verdict": verdict,
        "accepted_verdict": verdict,
        "accepted_run": 1,
        "reported_at": 1_780_000_002.0,
    }
    return replace(record(State.REPORTED), **{**answer, **fields})


def view(
    shown: EventRecord,
    snapshot: Snapshot | None = SNAPSHOT,
    *,
    language: Language = Language.ENGLISH,
    query: FindingsQuery | None = None,
) -> EventView:
    words = TEXTS.in_language(language)
    return build_event(shown, snapshot, words, query or FindingsQuery(), ImpactQuery(), kept="24 hours")


def found(*findings: Finding) -> dict[str, Outcome]:
    return {"code-review": Outcome.of(findings)}


def ended(kind: OutcomeKind, detail: str | None = None) -> dict[str, Outcome]:
    return {"code-review": Outcome(kind, (), detail)}


WAIVED = replace(BLOCK, waived=AppliedWaiver("W-12", "old loader", 1_780_272_000.0))
STATES = {
    "blocked": (answered(Result.FAIL, found(BLOCK, WARN)), PageState.BLOCKED, "block"),
    "warned": (answered(Result.WARN, found(WARN)), PageState.WARNED, "warn"),
    "passed": (answered(Result.OK, ended(OutcomeKind.PASSED)), PageState.PASSED, "ok"),
    "noted": (answered(Result.OK, found(INFO)), PageState.NOTED, "ok"),
    "audit": (answered(Result.OK, found(BLOCK), check(mode=Mode.AUDIT)), PageState.AUDIT, "ok"),
    "waived": (answered(Result.OK, found(WAIVED)), PageState.WAIVED, "ok"),
    "timed out": (answered(Result.WARN, ended(OutcomeKind.TIMED_OUT)), PageState.TIMED_OUT, "warn"),
    "without an outcome": (answered(Result.WARN, {}), PageState.TIMED_OUT, "warn"),
    "unreachable": (
        answered(Result.FAIL, ended(OutcomeKind.ERROR, "GetNodeChildren: time-out")),
        PageState.UNREACHABLE,
        "block",
    ),
    "unreviewable": (
        answered(Result.FAIL, ended(OutcomeKind.UNREVIEWABLE, "lines 40 to 71")),
        PageState.UNREVIEWABLE,
        "block",
    ),
    "unreviewable, passed": (
        answered(Result.WARN, ended(OutcomeKind.UNREVIEWABLE), check(on_unreviewable=Result.WARN)),
        PageState.UNREVIEWABLE,
        "warn",
    ),
    "switched off": (
        replace(
            answered(Result.OK, {}),
            plan=Plan((), Result.OK, Language.ENGLISH, "p", "it is switched off"),
        ),
        PageState.SWITCHED_OFF,
        "note",
    ),
    "nothing applies": (
        replace(answered(Result.OK, {}), plan=Plan((), Result.OK, Language.ENGLISH, "p")),
        PageState.NOTHING_APPLIES,
        "note",
    ),
    "external": (answered(Result.OK, {}, reason=Reason.EXTERNAL), PageState.EXTERNAL, "note"),
    "checking": (record(State.CHECKING, "code-review", "release-window"), PageState.CHECKING, "note"),
    "received": (record(State.RECEIVED), PageState.CHECKING, "note"),
    "dead": (
        record(State.DEAD, timeline=(TimelineEntry(1_780_000_060.0, "dead", "Forbidden.Access"),)),
        PageState.DEAD,
        "block",
    ),
    "ignored": (
        record(State.IGNORED, timeline=(TimelineEntry(1_780_000_000.2, "ignored", "no operation waits"),)),
        PageState.IGNORED,
        "note",
    ),
}


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("name", STATES)
def test_every_state_says_what_happened_why_and_what_to_do(name: str, language: Language) -> None:
    shown, state, tone = STATES[name]
    assert find_state(shown) is state
    page = view(shown, language=language)
    assert page.verdict.tone == tone
    assert page.verdict.title
    assert "{" not in page.verdict.title + "".join(page.verdict.reasons)
    assert 1 <= len(page.verdict.steps) <= 3
    assert all(step.text for step in page.verdict.steps)


def test_every_state_of_the_page_is_tried() -> None:
    assert {state for _, state, _ in STATES.values()} == set(PageState)


def test_the_title_counts_what_must_be_fixed() -> None:
    page = view(answered(Result.FAIL, found(BLOCK, WARN)))
    assert page.verdict.title == "The commit of orders was stopped: 1 problem must be fixed."
    assert page.verdict.reasons == ("The worst: line 2: The column a of t is dropped.",)
    assert page.findings.heading == "2 findings: 1 blocking, 1 warning"


def test_the_reason_of_a_check_that_could_not_run_is_not_the_authors_fault() -> None:
    page = view(STATES["unreachable"][0])
    assert "code-review could not be run" in page.verdict.title
    assert "Your change may be correct." in page.verdict.reasons[0]
    assert "GetNodeChildren: time-out" in page.verdict.reasons[0]


def test_progress_is_shown_while_checks_run() -> None:
    shown = record(State.CHECKING, "a", "b", outcomes={"a": Outcome(OutcomeKind.PASSED)})
    page = view(shown)
    assert page.is_open
    assert page.verdict.title == "1 of 2 checks are done."
    assert "Running: b." in page.verdict.reasons


def test_the_code_around_a_finding_is_shown_with_its_range() -> None:
    card = view(answered(Result.FAIL, found(BLOCK))).findings.index[0]
    assert card.frame
    hit = next(line for line in card.frame.lines if line.is_hit)
    assert (hit.number, hit.before, hit.marked, hit.after) == (2, "", "DROP", " TABLE t;")


def test_code_that_is_no_longer_kept_is_said_to_be() -> None:
    card = view(answered(Result.FAIL, found(BLOCK)), None).findings.index[0]
    assert card.frame is None
    assert card.frame_gap == "The code is no longer kept (it is kept for 24 hours); the finding stays."


@pytest.mark.parametrize("line", [0, 99, 1_000_000])
def test_a_position_outside_the_code_shows_no_code(line: int) -> None:
    finding = replace(BLOCK, line=line, column=9, end_line=line, end_column=3)
    card = view(answered(Result.FAIL, found(finding))).findings.index[0]
    assert card.frame is None


def test_secrets_are_masked_in_the_code() -> None:
    secret = "LTAI5tMadeUpForTheShop77"
    code = f"SELECT '{secret}';\nSELECT 2;\n"
    snapshot = Snapshot(file=FileSnapshot(1, "orders", 10, code))
    finding = Finding("MC-S01", Severity.BLOCK, "A secret.", line=1, column=9, end_column=33)
    page = view(answered(Result.FAIL, found(finding)), snapshot)
    assert secret not in repr(page)
    frame = page.findings.index[0].frame
    assert frame
    assert frame.is_masked
    assert frame.lines[0].marked == "*" * len(secret)
    assert page.verdict.steps[1].text.startswith("Replace the secret")


def test_a_finding_on_a_secret_masks_whatever_is_there() -> None:
    snapshot = Snapshot(file=FileSnapshot(1, "orders", 10, "SELECT f('not known as one');"))
    finding = Finding("MC-S01", Severity.BLOCK, "A secret.", line=1, column=11, end_column=27)
    assert "not known" not in repr(view(answered(Result.FAIL, found(finding)), snapshot))


def test_a_long_line_is_cut_around_the_finding() -> None:
    code = "x" * 500_000 + "DROP" + "y" * 500_000
    snapshot = Snapshot(file=FileSnapshot(1, "orders", 10, code))
    finding = replace(BLOCK, line=1, column=500_001, end_column=500_005)
    frame = view(answered(Result.FAIL, found(finding)), snapshot).findings.index[0].frame
    assert frame
    assert frame.lines[0].marked == "DROP"
    assert len(frame.lines[0].before + frame.lines[0].after) < 300


def test_findings_of_one_rule_line_and_remedy_are_one_card() -> None:
    second = replace(BLOCK, message="The column b of t is dropped.", column=9)
    cards = view(answered(Result.FAIL, found(BLOCK, second))).findings.index
    assert len(cards) == 1
    assert cards[0].others == ("The column b of t is dropped.",)


def test_many_findings_are_grouped_by_rule_and_shown_page_by_page() -> None:
    many = [replace(WARN, line=line) for line in range(1, 1001)]
    shown = answered(Result.FAIL, found(BLOCK, *many))
    findings = view(shown, query=FindingsQuery(kept=(("t", "a&b"),))).findings
    assert [(row.rule, row.count) for row in findings.rules] == [("MC-S02", "1"), ("MC-P04", "1,000")]
    assert findings.rules[0].url == "?t=a%26b&rule=MC-S02#findings"
    assert sum(len(group.cards) for group in findings.groups) == 25
    assert findings.pager
    assert findings.pager.text == "Findings 1–25 of 1,001"
    only = view(shown, query=FindingsQuery(rule="MC-P04", page=40)).findings
    assert only.only_rule == "MC-P04"
    assert [card.place for group in only.groups for card in group.cards][-1] == "line 1000"


def test_a_page_that_does_not_exist_shows_the_first() -> None:
    findings = view(answered(Result.FAIL, found(BLOCK)), query=FindingsQuery(page=99)).findings
    assert [card.rule for card in findings.index] == ["MC-S02"]


def test_a_waiver_is_named_with_its_reason() -> None:
    page = view(answered(Result.OK, found(WAIVED)))
    assert page.waivers == ("Waiver W-12, until 2026-06-01 08:00:00: old loader",)
    assert page.findings.index[0].tag.text == "Waived"
    assert page.findings.index[0].exception_command is None


def test_the_command_for_an_exception_quotes_what_comes_from_outside() -> None:
    hostile = replace(BLOCK, rule="x'; rm -rf ~; '", fingerprint="ab12")
    command = view(answered(Result.FAIL, found(hostile))).findings.index[0].exception_command
    assert command
    assert """--rule 'x'"'"'; rm -rf ~; '"'"''""" in command
    assert "--fingerprint ab12" in command


def test_a_rerun_is_never_shown_as_the_verdict() -> None:
    shown = replace(
        answered(Result.FAIL, found(WARN)),
        run=2,
        verdict=Verdict(Result.WARN, "tip", Reason.COMPLETE, 1_780_000_100.0),
    )
    page = view(shown)
    assert page.verdict.title == "The commit of orders was stopped."
    assert any("run 2" in reason for reason in page.verdict.reasons)
    assert [(run.run, run.verdict, run.is_accepted) for run in page.runs] == [
        (1, "FAIL", True),
        (2, "WARN", False),
    ]


def test_the_rows_that_decide_are_marked() -> None:
    outcomes = {
        "code-review": Outcome.of((BLOCK,)),
        "release-window": Outcome(OutcomeKind.PASSED),
        "change-impact": Outcome.of((BLOCK,)),
    }
    shown = answered(
        Result.FAIL, outcomes, check(), check("release-window"), check("change-impact", Mode.AUDIT)
    )
    rows = {row.check: row for row in view(shown).decision.rows}
    assert [name for name, row in rows.items() if row.decides] == ["code-review"]
    assert rows["change-impact"].would_block
    assert rows["change-impact"].counts_as == "OK"


def test_messages_of_findings_have_their_language() -> None:
    chinese = replace(BLOCK, message="删除了列。", english="The column is dropped.")
    shown = answered(Result.FAIL, found(chinese))
    assert view(shown).findings.index[0].message == "The column is dropped."
    assert view(shown, language=Language.CHINESE).findings.index[0].message == "删除了列。"
    only_chinese = answered(Result.FAIL, found(replace(BLOCK, message="删除了列。")))
    assert view(only_chinese).findings.index[0].language == "zh"


def test_the_timeline_is_in_milliseconds() -> None:
    at = EVENT.received_at
    steps = (
        TimelineEntry(at + 0.031, "admitted", ""),
        TimelineEntry(at + 0.036, "planned", "1 checks"),
        TimelineEntry(at + 0.2, "checked", "code-review findings"),
        TimelineEntry(at + 0.21, "decided", "FAIL complete"),
        TimelineEntry(at + 0.4, "reported", "accepted"),
        TimelineEntry(at + 99.0, "requeued", "run 2 by x: y"),
        TimelineEntry(at + 99.1, "checked", "code-review passed"),
    )
    timeline = view(answered(Result.FAIL, found(BLOCK), timeline=steps, reported_at=at + 0.4)).timeline
    assert timeline.heading == "Timeline: 400 ms of 60,000 ms"
    assert [bar.text for bar in timeline.bars] == ["31 ms", "5 ms", "164 ms", "10 ms", "190 ms"]
    assert len(timeline.steps) == len(steps)
    assert all(bar.x + bar.width <= timeline.width for bar in timeline.bars)


def test_the_contact_of_the_workspace_and_its_tracker_are_named() -> None:
    contact = Contact(
        "Data platform", mail="data@example.com", tracker="https://t.example/?r={rule}&f={file}"
    )
    shown = answered(Result.FAIL, found(BLOCK))
    assert shown.plan
    page = view(replace(shown, plan=replace(shown.plan, contact=contact)))
    assert page.contact
    assert (page.contact.name, page.contact.url) == ("Data platform", "mailto:data@example.com")
    assert page.findings.index[0].tracker == "https://t.example/?r=MC-S02&f=orders"
    assert view(shown).contact is None
