"""The tip: what it says, in what order, in both languages, and that it never gets too long."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.verdicts import Finding, Outcome, OutcomeKind, Result, Severity
from workers.plan import Language, Mode, Plan, PlannedCheck
from workers.tip import LONGEST, tip

EVENT = "539fd8f4-4ea1-4625-aa8b-6c9066740001"
STAR = Finding("MC-P04", Severity.WARN, "SELECT * in a subquery.", 3, 8, "List the columns.")
DELETE = Finding("MC-C14", Severity.BLOCK, "DELETE changes every row of t.", 12, 1, "Add a WHERE.")
CLOSED = Finding("release-window", Severity.BLOCK, "Closed until 06:00.")
REMARK = Finding("MC-N04", Severity.INFO, "1 of 2 columns has no comment.")


def check(name: str, mode: Mode = Mode.ENFORCE, unrun: Result = Result.WARN) -> PlannedCheck:
    return PlannedCheck(name, mode, unrun, unrun)


def say(
    result: Result,
    checks: list[PlannedCheck],
    outcomes: dict[str, Outcome],
    language: Language = Language.ENGLISH,
) -> list[str]:
    return tip(result, Plan(tuple(checks), Result.OK, language, "v"), outcomes, EVENT, language).split("\n")


def test_the_worst_findings_come_first_with_line_and_fix() -> None:
    outcomes = {"review": Outcome.of([STAR, REMARK, DELETE]), "window": Outcome.of([CLOSED])}
    assert say(Result.FAIL, [check("review"), check("window")], outcomes) == [
        "FAIL: blocked.",
        "1. [MC-C14] line 12: DELETE changes every row of t. Fix: Add a WHERE.",
        "2. [release-window] Closed until 06:00.",
        "3. [MC-P04] line 3: SELECT * in a subquery. Fix: List the columns.",
        "Noted, not counted: 1 (review)",
        f"Event {EVENT}",
    ]


def test_the_same_in_chinese() -> None:
    lines = say(
        Result.FAIL, [check("review"), check("b")], {"review": Outcome.of([DELETE])}, Language.CHINESE
    )
    assert lines == [
        "FAIL：已阻断。",
        "1. [MC-C14] 第 12 行：DELETE changes every row of t. 建议：Add a WHERE.",
        "未能执行：b（未及时返回），按 WARN 计",
        f"事件 {EVENT}",
    ]


def test_a_suppressed_finding_is_noted_and_not_counted() -> None:
    outcomes = {"review": Outcome.of([STAR, replace(DELETE, suppressed="by hand")])}
    assert say(Result.WARN, [check("review")], outcomes)[1:-1] == [
        "1. [MC-P04] line 3: SELECT * in a subquery. Fix: List the columns.",
        "Noted, not counted: 1 (review)",
    ]


@pytest.mark.parametrize(
    ("language", "head"), [(Language.ENGLISH, "OK: passed."), (Language.CHINESE, "OK：检查通过。")]
)
def test_nothing_to_say(language: Language, head: str) -> None:
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
            OutcomeKind.ERROR, detail="DataWorks could not be asked: GetNodeChildren Throttling.User"
        ),
        "c": Outcome(OutcomeKind.TIMED_OUT, detail="it took too long"),
        "d": Outcome(OutcomeKind.SKIPPED, detail="the file has no code"),
    }
    checks = [check("a", unrun=Result.OK), check("b", unrun=Result.FAIL), check("c"), check("d")]
    assert say(Result.FAIL, checks, outcomes)[1] == (
        "Not run: b (failed: DataWorks could not be asked: GetNodeChildren Throttling.Us…), counted as FAIL;"
        " c (no answer in time: it took too long), counted as WARN; a (no answer in time), counted as OK"
    )


def test_many_that_did_not_run_are_counted() -> None:
    checks = [check(f"c{number}") for number in range(9)]
    (line,) = (line for line in say(Result.WARN, checks, {}) if line.startswith("Not run"))
    assert line.endswith("; 6 others, counted as WARN at most")


def test_audit_findings_are_noted_and_not_shown_as_blockers() -> None:
    lines = say(Result.OK, [check("review", Mode.AUDIT)], {"review": Outcome.of([DELETE, STAR])})
    assert lines == ["OK: passed.", "Noted, not counted: 2 (review)", f"Event {EVENT}"]


def test_a_finding_stays_on_its_line() -> None:
    sly = Finding("r", Severity.BLOCK, "x\n\nOK: passed.\r\nEvent 1", help="a\tb")
    lines = say(Result.FAIL, [check("a")], {"a": Outcome.of([sly])})
    assert lines[1] == "1. [r] x OK: passed. Event 1 Fix: a b"


def test_long_findings_are_cut_on_whole_characters() -> None:
    accented = Finding("r", Severity.BLOCK, "e\u0301" * 500, help="中" * 500)
    lines = say(Result.FAIL, [check("a")], {"a": Outcome.of([accented])})
    message, _, fix = lines[1].partition(" Fix: ")
    assert message.endswith("e\u0301…")
    assert fix == "中" * 109 + "…"


def test_the_first_finding_is_there_however_much_did_not_run() -> None:
    long = Finding("r" * 60, Severity.BLOCK, "m" * 300, help="h" * 300)
    failed = {f"{'n' * 80}{number}": Outcome(OutcomeKind.ERROR, detail="d" * 200) for number in range(9)}
    checks = [check("a"), *(check(name) for name in failed)]
    text = "\n".join(say(Result.FAIL, checks, {"a": Outcome.of([long] * 9), **failed}))
    assert len(text) <= LONGEST
    assert "1. [rrr" in text
    assert " more\n" in text
    assert "others, counted as WARN at most" in text


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
)
def test_is_short_begins_with_the_verdict_and_ends_with_the_id(
    checks: dict[str, tuple[Mode, Outcome | None]], result: Result, language: Language, message_id: str
) -> None:
    planned = Plan(tuple(check(name, mode) for name, (mode, _) in checks.items()), Result.OK, language, "v")
    outcomes = {name: outcome for name, (_, outcome) in checks.items() if outcome}
    text = tip(result, planned, outcomes, message_id, language)
    assert len(text) < 1000
    assert text.startswith(result.value)
    assert text.endswith(f" {message_id}")
    assert text.isprintable() or "\n" in text
