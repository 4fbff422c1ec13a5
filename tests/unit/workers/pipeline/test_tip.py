"""The tip: content and order in both languages, and the maximum length."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.plan import Mode, Plan, PlannedCheck
from common.signed_links import details_link, sign
from common.text.i18n import Language
from common.verdicts import AppliedWaiver, Finding, Outcome, OutcomeKind, Result, Severity
from tests.support import tip_samples
from workers.pipeline.tip import MAX_LENGTH, render_tip
from workers.waivers.matching import DAY, Waivers
from workers.waivers.model import Waiver

EVENT = "539fd8f4-4ea1-4625-aa8b-6c9066740001"
STAR = Finding("MC-P04", Severity.WARN, "SELECT * in a subquery.", 3, 8, "List the columns.")
DELETE = Finding("MC-C14", Severity.BLOCK, "DELETE changes every row of t.", 12, 1, "Add a WHERE.")
CLOSED = Finding("release-window", Severity.BLOCK, "Closed until 06:00.")
REMARK = Finding("MC-N04", Severity.INFO, "1 of 2 columns has no comment.")


UNTIL = "2026-12-01T18:00:00+08:00"
NOW = datetime.fromisoformat("2026-11-26T10:00:00+08:00").timestamp()


def waiver(id_: str, until: str = UNTIL) -> Waiver:
    return Waiver.model_validate(
        {"id": id_, "rule": "a", "reason": "r", "owner": "o", "approver": "p", "expires_at": until}
    )


def check(name: str, mode: Mode = Mode.ENFORCE, unrun: Result = Result.WARN) -> PlannedCheck:
    return PlannedCheck(name, mode, unrun, unrun)


def say(
    result: Result,
    checks: list[PlannedCheck],
    outcomes: dict[str, Outcome],
    language: Language = Language.ENGLISH,
) -> list[str]:
    return render_tip(result, Plan(tuple(checks), Result.OK, language, "v"), outcomes, EVENT).split("\n")


def test_the_most_severe_findings_come_first_with_line_and_fix() -> None:
    outcomes = {"review": Outcome.of([STAR, REMARK, DELETE]), "window": Outcome.of([CLOSED])}
    assert say(Result.FAIL, [check("review"), check("window")], outcomes) == [
        "FAIL: blocked by 2 findings.",
        "1. [MC-C14] line 12: DELETE changes every row of t. Fix: Add a WHERE.",
        "2. [release-window] Closed until 06:00.",
        "3. (warning) [MC-P04] line 3: SELECT * in a subquery. Fix: List the columns.",
        "Recorded, not counted: 1 (review)",
        f"Event {EVENT}",
    ]


def test_the_same_in_chinese() -> None:
    lines = say(
        Result.FAIL, [check("review"), check("b")], {"review": Outcome.of([DELETE])}, Language.CHINESE
    )
    assert lines == [
        "FAIL：已阻断，需处理 1 个问题。",
        "1. [MC-C14] 第 12 行：DELETE changes every row of t. 建议：Add a WHERE.",
        "未能执行：b（超时），按 WARN 计",
        f"事件 {EVENT}",
    ]


def test_a_suppressed_finding_is_recorded_and_not_counted() -> None:
    outcomes = {"review": Outcome.of([STAR, replace(DELETE, suppressed="by hand")])}
    assert say(Result.WARN, [check("review")], outcomes)[1:-1] == [
        "1. [MC-P04] line 3: SELECT * in a subquery. Fix: List the columns.",
        "Suppressed in the code although blocking: 1 (MC-C14 line 12)",
        "Recorded, not counted: 1 (review)",
    ]


@pytest.mark.parametrize(
    ("language", "head"), [(Language.ENGLISH, "OK: passed."), (Language.CHINESE, "OK：检查通过。")]
)
def test_a_passed_event(language: Language, head: str) -> None:
    lines = say(Result.OK, [check("a")], {"a": Outcome.of([])}, language)
    assert (lines[0], lines[-1].endswith(EVENT), len(lines)) == (head, True, 2)


def test_no_check_at_all() -> None:
    assert say(Result.WARN, [], {})[0] == "WARN: no check applies to this operation."


def test_more_findings_are_counted() -> None:
    lines = say(Result.FAIL, [check("a")], {"a": Outcome.of([DELETE] * 7)})
    assert lines[4] == "and 4 more"


def test_checks_that_did_not_run_are_named_with_what_they_count_as() -> None:
    outcomes = {
        "b": Outcome(
            OutcomeKind.ERROR, detail="DataWorks call failed: GetNodeChildren Throttling.User.QuotaExceeded"
        ),
        "c": Outcome(OutcomeKind.TIMED_OUT, detail="time limit reached"),
        "d": Outcome(OutcomeKind.SKIPPED, detail="the file has no code"),
    }
    checks = [check("a", unrun=Result.OK), check("b", unrun=Result.FAIL), check("c"), check("d")]
    assert say(Result.FAIL, checks, outcomes)[1] == (
        "Not run: b (failed: DataWorks call failed: GetNodeChildren Throttling.User.Quot…), counted as FAIL;"
        " c (timed out: time limit reached), counted as WARN; a (timed out), counted as OK"
    )


UNREVIEWABLE = Outcome(OutcomeKind.UNREVIEWABLE, detail="line 3: its syntax is not understood")


def test_what_was_not_reviewed_is_named_with_what_to_do() -> None:
    lines = say(Result.FAIL, [check("a"), check("b")], {"a": UNREVIEWABLE, "b": Outcome.of([])})
    assert lines[:2] == [
        "FAIL: blocked because not everything could be reviewed. Correct, simplify or split it.",
        "Not reviewed: a (line 3: its syntax is not understood), counted as FAIL",
    ]


def test_in_warn_mode_what_was_not_reviewed_passes_with_a_warning() -> None:
    lines = say(Result.WARN, [check("a", Mode.WARN)], {"a": UNREVIEWABLE})
    assert lines[0].startswith("WARN: passed, but not everything could be reviewed.")
    assert lines[1].endswith("counted as WARN")


def test_an_error_is_the_headline_if_it_decides() -> None:
    outcomes = {"a": UNREVIEWABLE, "b": Outcome(OutcomeKind.ERROR, detail="no answer")}
    lines = say(Result.FAIL, [check("a", Mode.WARN), check("b", unrun=Result.FAIL)], outcomes)
    assert lines[0].startswith("FAIL: blocked because some checks could not run.")
    assert [line.partition(":")[0] for line in lines[1:3]] == ["Not reviewed", "Not run"]


def test_an_error_after_findings_is_named_with_what_it_counts_as_itself() -> None:
    outcome = Outcome(OutcomeKind.ERROR, (DELETE,), "no answer")
    lines = say(Result.FAIL, [check("a", unrun=Result.WARN)], {"a": outcome})
    assert lines[0] == "FAIL: blocked by 1 finding."
    assert lines[2] == "Not run: a (failed: no answer), counted as WARN"


def test_findings_made_before_a_gap_come_first() -> None:
    lines = say(Result.FAIL, [check("a")], {"a": replace(UNREVIEWABLE, findings=(DELETE,))})
    assert lines[0] == "FAIL: blocked by 1 finding."
    assert lines[1].startswith(f"1. [{DELETE.rule}]")
    assert lines[2].startswith("Not reviewed: a (")


@pytest.mark.parametrize(("number", "rest"), [(4, 1), (9, 6)])
def test_many_that_did_not_run_are_counted(number: int, rest: int) -> None:
    checks = [check(f"c{index}") for index in range(number)]
    (line,) = (line for line in say(Result.WARN, checks, {}) if line.startswith("Not run"))
    assert line.endswith(f"; {rest} more, counted as WARN at most")


def test_audit_findings_are_recorded_and_not_shown_as_blockers() -> None:
    lines = say(Result.OK, [check("review", Mode.AUDIT)], {"review": Outcome.of([DELETE, STAR])})
    assert lines == ["OK: passed.", "Recorded, not counted: 2 (review)", f"Event {EVENT}"]


def test_a_finding_stays_on_its_line() -> None:
    sly = Finding("r", Severity.BLOCK, "x\n\nOK: passed.\r\nEvent 1", help="a\tb")
    lines = say(Result.FAIL, [check("a")], {"a": Outcome.of([sly])})
    assert lines[1] == "1. [r] x OK: passed. Event 1 Fix: a b"


def test_long_findings_are_truncated_on_whole_characters() -> None:
    accented = Finding("r", Severity.BLOCK, "e\u0301" * 500, help="中" * 500)
    lines = say(Result.FAIL, [check("a")], {"a": Outcome.of([accented])})
    message, _, fix = lines[1].partition(" Fix: ")
    assert message.endswith("e\u0301…")
    assert fix == "中" * 109 + "…"


def test_the_first_finding_is_shown_however_many_checks_did_not_run() -> None:
    long = Finding("r" * 60, Severity.BLOCK, "m" * 300, help="h" * 300)
    failed = {f"{'n' * 80}{number}": Outcome(OutcomeKind.ERROR, detail="d" * 200) for number in range(9)}
    checks = [check("a"), *(check(name) for name in failed)]
    text = "\n".join(say(Result.FAIL, checks, {"a": Outcome.of([long] * 9), **failed}))
    assert len(text) <= MAX_LENGTH
    assert "1. [rrr" in text
    assert " more\n" in text
    assert "more, counted as WARN at most" in text


DETAILS = f"https://{'x' * 170}.example/{{message_id}}"


def link_of(message_id: str) -> str:
    return details_link(DETAILS, message_id, sign(b"k" * 32, message_id, NOW))


WORDS = st.text(max_size=300)
FINDINGS = st.lists(
    st.builds(
        Finding,
        WORDS,
        st.sampled_from(Severity),
        WORDS,
        st.none() | st.integers(1),
        st.none(),
        st.none() | WORDS,
        waived=st.none() | st.sampled_from([AppliedWaiver(id_, "r") for id_ in ("W" * 40, "W" * 39, "gone")]),
    ),
    max_size=6,
)
OUTCOMES = st.one_of(
    FINDINGS.map(Outcome.of),
    st.builds(
        Outcome,
        st.sampled_from([OutcomeKind.ERROR, OutcomeKind.TIMED_OUT, OutcomeKind.SKIPPED]),
        st.just(()),
        st.none() | WORDS,
    ),
)


@settings(deadline=None)
@given(
    st.dictionaries(st.text(max_size=80), st.tuples(st.sampled_from(Mode), OUTCOMES | st.none()), max_size=8),
    st.sampled_from(Result),
    st.sampled_from(Language),
    st.text("0123456789abcdef-", min_size=1, max_size=64),
    st.booleans(),
)
def test_a_tip_is_short_starts_with_the_verdict_and_ends_with_the_id(
    checks: dict[str, tuple[Mode, Outcome | None]],
    result: Result,
    language: Language,
    message_id: str,
    linked: bool,
) -> None:
    planned = Plan(tuple(check(name, mode) for name, (mode, _) in checks.items()), Result.OK, language, "v")
    outcomes = {name: outcome for name, (_, outcome) in checks.items() if outcome}
    waivers = Waivers((waiver("W" * 40), waiver("W" * 39)))
    text = render_tip(
        result,
        planned,
        outcomes,
        message_id,
        now=NOW,
        waivers=waivers,
        details_link=link_of(message_id) if linked else None,
    )
    assert len(text) < 1000
    assert text.startswith(result.value)
    assert text.endswith(f" {message_id}")
    assert text.isprintable() or "\n" in text


def waived(language: Language = Language.ENGLISH, *ids: str, now: float = NOW) -> str:
    outcomes = {"a": Outcome.of([replace(DELETE, waived=AppliedWaiver(id_, "it goes: soon")) for id_ in ids])}
    waivers = Waivers((waiver("W-12"), waiver("W-13", "2026-12-20T00:00:00Z"), waiver("W-14")))
    planned = Plan((check("a"),), Result.OK, language, "v")
    head, line, _ = render_tip(Result.OK, planned, outcomes, EVENT, now=now, waivers=waivers).split("\n")
    assert head in ("OK: passed.", "OK：检查通过。")
    return line


def test_waivers_are_named_with_their_expiry() -> None:
    end = "2026-12-01 18:00+08:00"
    assert waived(Language.ENGLISH, "W-12", "W-12") == f"Waived: 2 (W-12 until {end}, expires in 5 days)"
    assert waived(Language.CHINESE, "W-12") == f"已豁免：1 项（W-12 有效至 {end}，5 天后到期）"
    assert waived(Language.ENGLISH, "W-13") == "Waived: 1 (W-13 until 2026-12-20 00:00+00:00)"
    assert waived(Language.ENGLISH, "W-99") == "Waived: 1 (W-99)"


@pytest.mark.parametrize(
    ("days", "said"),
    [(0.5, ", expires within a day"), (1.5, ", expires in 1 day"), (2, ", expires in 2 days"), (8, "")],
)
def test_expiry_is_announced_days_before(days: float, said: str) -> None:
    ends = waiver("W-12").expires_ts
    assert waived(Language.ENGLISH, "W-12", now=ends - days * DAY).partition("+08:00")[2] == f"{said})"


def test_of_many_waivers_the_next_to_expire_are_named() -> None:
    line = waived(Language.ENGLISH, "W-13", "W-14", "W-12", "W-13")
    assert line.startswith("Waived: 4 (W-14 until ")
    assert line.endswith(", W-12 until 2026-12-01 18:00+08:00, expires in 5 days, and 1 more)")


def test_a_waived_finding_is_neither_shown_nor_counted_as_recorded() -> None:
    outcomes = {"a": Outcome.of([replace(DELETE, waived=AppliedWaiver("W-1", "r")), STAR, REMARK])}
    assert say(Result.WARN, [check("a")], outcomes)[:-1] == [
        "WARN: passed with 1 finding to review.",
        "1. [MC-P04] line 3: SELECT * in a subquery. Fix: List the columns.",
        "Waived: 1 (W-1)",
        "Recorded, not counted: 1 (a)",
    ]


def test_every_suppressed_block_is_named() -> None:
    kept = [replace(DELETE, suppressed="by hand", line=line) for line in (12, 40, 12)]
    window = replace(CLOSED, suppressed="agreed with the owner")
    remark = replace(STAR, suppressed="all columns are needed")
    outcomes = {"a": Outcome.of([*kept, remark]), "b": Outcome.of([window])}
    planned = [check("a"), check("b", Mode.AUDIT)]
    assert say(Result.OK, planned, outcomes)[:-1] == [
        "OK: passed.",
        "Suppressed in the code although blocking: 3 (MC-C14 line 12, 40; release-window)",
        "Recorded, not counted: 5 (a, b)",
    ]
    assert say(Result.OK, planned, outcomes, Language.CHINESE)[1] == (
        "代码中屏蔽的阻断级问题：3 项（MC-C14 第 12，40 行；release-window）"
    )


def test_suppressed_blocks_are_named_beside_other_findings() -> None:
    kept = [
        replace(DELETE, rule=f"MC-C{number:02}", suppressed="by hand", line=number) for number in range(1, 30)
    ]
    long = Finding("r", Severity.BLOCK, "m" * 500, help="h")
    lines = say(Result.FAIL, [check("a")], {"a": Outcome.of([*kept, long])})
    (line,) = (line for line in lines if line.startswith("Suppressed"))
    assert all(f"{item.rule} line {item.line}" in line for item in kept)
    assert len("\n".join(lines)) <= MAX_LENGTH


@pytest.mark.parametrize("letter", ["\x1b", "\u202e", "\u200b", "\u3164", "\x9b"])
def test_characters_that_are_not_printable_are_replaced(letter: str) -> None:
    text = f"a{letter}b"
    found = Finding(text, Severity.BLOCK, text, help=text)
    outcomes = {
        "a": Outcome.of(
            [found, replace(found, suppressed=text), replace(found, waived=AppliedWaiver(text, text))]
        ),
        "b": Outcome(OutcomeKind.ERROR, detail=text),
    }
    for language in Language:
        lines = say(Result.FAIL, [check("a"), check("b")], outcomes, language)
        assert all(line.isprintable() for line in lines)
        assert letter not in "".join(lines)


@pytest.mark.parametrize(
    ("unrun", "head"),
    [
        (Result.FAIL, "FAIL: blocked because some checks could not run. Try again later."),
        (Result.WARN, "WARN: passed, but some checks could not run."),
        (Result.OK, "OK: passed."),
    ],
)
def test_a_verdict_caused_by_checks_that_did_not_run(unrun: Result, head: str) -> None:
    assert say(unrun, [check("a", unrun=unrun)], {})[0] == head


def test_a_disabled_workspace_is_reported() -> None:
    planned = Plan((), Result.OK, Language.ENGLISH, "v", disabled_reason="dwgate is disabled.")
    assert render_tip(Result.OK, planned, {}, EVENT).split("\n") == [
        "OK: dwgate is disabled.",
        f"Event {EVENT}",
    ]


def test_the_details_are_linked() -> None:
    planned = Plan((check("a"),), Result.OK, Language.ENGLISH, "v")
    text = render_tip(Result.OK, planned, {}, "a/b c", details_link="https://x.example/e/a%2Fb%20c?t=1")
    assert text.split("\n")[-2:] == ["Details: https://x.example/e/a%2Fb%20c?t=1", "Event a/b c"]


def test_a_tip_with_every_line_is_still_short() -> None:
    names = [f"{'n' * 80}{number}" for number in range(9)]
    failed = {name: Outcome(OutcomeKind.ERROR, detail="d" * 200) for name in names}
    ids = ["W" * 39 + letter for letter in "abc"]
    known = [replace(DELETE, waived=AppliedWaiver(id_, "r")) for id_ in ids]
    long = Finding("r" * 60, Severity.BLOCK, "m" * 300, 12, help="h" * 300)
    planned = Plan((check("a"), *map(check, names)), Result.OK, Language.ENGLISH, "v")
    outcomes = {"a": Outcome.of([REMARK, *known, *[long] * 9]), **failed}
    waivers = Waivers(tuple(map(waiver, ids)))
    text = render_tip(
        Result.FAIL, planned, outcomes, EVENT, now=NOW, waivers=waivers, details_link=link_of(EVENT)
    )
    assert len(text) <= MAX_LENGTH
    lines = text.split("\n")
    assert [line[:6] for line in lines] == [
        "FAIL: ",
        "1. [rr",
        "and 8 ",
        "Waived",
        "Not ru",
        "Detail",
        "Event ",
    ]
    assert "mmm" in lines[1]
    assert lines[-2].endswith(link_of(EVENT))


def test_a_finding_alone_may_be_long() -> None:
    long = Finding("r", Severity.BLOCK, "m" * 500, help="h")
    assert say(Result.FAIL, [check("a")], {"a": Outcome.of([long])})[1] == f"1. [r] {'m' * 500} Fix: h"
    three = say(Result.FAIL, [check("a")], {"a": Outcome.of([long] * 3)})[1:4]
    assert [line[:6] for line in three] == ["1. [r]", "2. [r]", "3. [r]"]
    assert all(line.count("m") > 180 and line.endswith("… Fix: h") for line in three)


def test_room_left_by_a_short_finding_goes_to_the_next() -> None:
    short, long = Finding("s", Severity.BLOCK, "short"), Finding("r", Severity.BLOCK, "m" * 600)
    assert say(Result.FAIL, [check("a")], {"a": Outcome.of([short, long])})[2] == f"2. [r] {'m' * 600}"


def test_one_finding_per_check_and_line_comes_before_repeated_ones() -> None:
    review = [Finding(rule, Severity.BLOCK, "m", line) for rule, line in (("r1", 4), ("r2", 4), ("r3", 9))]
    impact = [Finding("i1", Severity.BLOCK, "m"), Finding("i2", Severity.WARN, "m")]
    lines = say(Result.FAIL, [check("a"), check("b")], {"a": Outcome.of(review), "b": Outcome.of(impact)})
    assert [line.partition("]")[0] for line in lines[1:4]] == ["1. [r1", "2. [i1", "3. [r3"]
    assert lines[4] == "and 2 more"


@pytest.mark.parametrize("page", tip_samples.PAGES, ids=lambda page: str(page.relative_to(tip_samples.DOCS)))
def test_the_documentation_shows_the_current_tips(page: Path) -> None:
    text = page.read_text()
    assert tip_samples.read_samples(text) == text, "run python -m tests.support.tip_samples"
    shown = set(re.findall(r"<!-- tip: ([\w-]+) (en|zh) -->", text))
    assert shown == {(name, language.value) for name in tip_samples.SAMPLES for language in Language}
