import io
from dataclasses import replace

import pytest
from rich.console import Console

from common.ledger import EventRecord, State, TimelineEntry
from common.verdicts import Finding, Outcome, OutcomeKind, Reason, Result, Severity, Verdict
from console.commands import events
from console.output import tables
from tests.support.records import EVENT, VERDICT, record

BLOCK = Finding("MC-C14", Severity.BLOCK, "DELETE without WHERE.", line=5)
WARN = Finding("MC-N01", Severity.WARN, "No layer in the name.")


def printed(what: object, width: int = 160) -> str:
    out = Console(file=io.StringIO(), width=width, color_system=None)
    out.print(what)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def test_the_worst_finding_comes_first() -> None:
    found = {
        "a": Outcome(OutcomeKind.FINDINGS, (WARN,)),
        "b": Outcome(OutcomeKind.FINDINGS, (BLOCK,)),
        "c": Outcome(OutcomeKind.ERROR, detail="no answer"),
    }
    assert tables.first_finding(record(State.REPORTED, "a", "b", "c", outcomes=found)) == (
        "MC-C14: line 5: DELETE without WHERE."
    )


def test_a_suppressed_finding_comes_last_with_its_reason() -> None:
    kept = replace(BLOCK, suppressed="by hand")
    both = {"a": Outcome(OutcomeKind.FINDINGS, (kept, WARN))}
    alone = {"a": Outcome(OutcomeKind.FINDINGS, (kept,))}
    assert tables.first_finding(record(State.REPORTED, "a", outcomes=both)) == "MC-N01: No layer in the name."
    assert tables.first_finding(record(State.REPORTED, "a", outcomes=alone)) == (
        "MC-C14: line 5: DELETE without WHERE. (suppressed: by hand)"
    )


def test_a_check_that_could_not_run_is_named_when_nothing_was_found() -> None:
    outcomes = {"a": Outcome(OutcomeKind.PASSED), "b": Outcome(OutcomeKind.TIMED_OUT)}
    assert tables.first_finding(record(State.REPORTED, "a", "b", outcomes=outcomes)) == "b: timed_out"
    assert tables.first_finding(record(State.REPORTED, "a", outcomes=outcomes)) is None
    outcomes = {"a": Outcome(OutcomeKind.UNREVIEWABLE, detail="line 3")}
    assert tables.first_finding(record(State.REPORTED, "a", outcomes=outcomes)) == "a: line 3"


def test_control_characters_and_markup_are_neutralized() -> None:
    shown = printed(tables.table(("what",), [("\x1b[31mred\x07 [bold]x[/bold]\nnext",)]))
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "[bold]x[/bold] next" in shown


@pytest.mark.parametrize("value", [None, ""])
def test_an_empty_value_is_a_dash(value: object) -> None:
    assert tables.text(value).plain == "–"


def test_a_table_keeps_its_width_and_shows_every_word() -> None:
    words = [f"word{number}" for number in range(40)]
    shown = printed(tables.table(("id", "text"), [("e-1", " ".join(words))]), width=60)
    assert max(map(len, shown.splitlines())) <= 60
    assert all(word in shown for word in words)


def test_an_event_shows_what_was_not_reviewed_and_what_was_found() -> None:
    outcome = Outcome(OutcomeKind.UNREVIEWABLE, (BLOCK,), "the code from line 3")
    shown = printed(
        events.render_event(record(State.REPORTED, "a", outcomes={"a": outcome}, verdict=VERDICT))
    )
    for part in ("unreviewable", "the code from line 3", "MC-C14: line 5"):
        assert part in shown


OK = Verdict(Result.OK, "OK: fine", Reason.DEADLINE, VERDICT.decided_at)
ACCEPTED = {"accepted_verdict": VERDICT, "reported_at": 2.0, "accepted_how": "posted", "accepted_run": 1}


@pytest.mark.parametrize(
    ("shown", "result"),
    [
        (record(State.CHECKING), None),
        (record(State.DEAD, verdict=OK), "not accepted: OK"),
        (record(State.DECIDED, verdict=VERDICT), "not accepted: FAIL"),
        (record(State.REPORTED, verdict=VERDICT, **ACCEPTED), "FAIL"),
        (record(State.REPORTED, verdict=OK, **ACCEPTED), "FAIL"),
        (record(State.CHECKING, run=2, **ACCEPTED), "FAIL"),
        (record(State.REPORTED, run=2, verdict=OK, **ACCEPTED), "FAIL (rerun: OK)"),
        (record(State.REPORTED, run=2, verdict=replace(VERDICT, tip="again"), **ACCEPTED), "FAIL"),
    ],
)
def test_the_list_shows_what_was_accepted(shown: EventRecord, result: str | None) -> None:
    assert tables.result(shown) == result


def test_a_dead_event_shows_that_nothing_was_accepted() -> None:
    shown = printed(events.render_event(record(State.DEAD, verdict=OK)))
    assert "none accepted" in shown
    assert "OK, decided" in shown


def test_an_answered_event_shows_how_that_is_known_and_the_rerun() -> None:
    shown = printed(events.render_event(record(State.REPORTED, run=2, verdict=OK, **ACCEPTED)))
    assert "(posted)" in shown
    assert "OK in run 2, not posted: differs from the accepted result" in shown
    assert VERDICT.tip in shown
    assert OK.tip not in shown


def test_an_event_shows_verdict_checks_and_every_finding() -> None:
    outcomes = {"code-review": Outcome(OutcomeKind.FINDINGS, (BLOCK, WARN))}
    shown = printed(
        events.render_event(
            record(State.REPORTED, "code-review", "other", outcomes=outcomes, verdict=VERDICT)
        )
    )
    for part in ("e-1", "commit-file", "reported", "FAIL: fix it", "MC-C14: line 5", "MC-N01", "other"):
        assert part in shown


def test_an_event_shows_what_was_checked_and_times_to_the_millisecond() -> None:
    data = {"fileId": 501, "fileName": "dws_a", "fileType": 10, "fileOwner": "19"}
    entry = TimelineEntry(1_780_000_001.234, "admitted", "")
    shown = printed(
        events.render_event(record(State.REPORTED, event=replace(EVENT, data=data), timeline=(entry,)))
    )
    rows = [" ".join(line.split()) for line in shown.splitlines()]
    assert {"checked file dws_a (501)", "node type odps_sql", "owner 19"} <= set(rows)
    assert ".234" in shown
    nodes = replace(EVENT, event_code="freeze-node", data={"nodeIds": [7, 8, 9]})
    rows = [
        " ".join(line.split())
        for line in printed(events.render_event(record(State.DEAD, event=nodes))).splitlines()
    ]
    assert "checked node 7 and 2 more" in rows
