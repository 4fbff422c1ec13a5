"""What a record says about the accepted verdict, the frozen one, and the one of a rerun."""

from dataclasses import replace

import orjson
import pytest

from common.ledger import EventRecord, State
from common.ledger.timeline import RunState, RunVerdict, parse_timeline
from common.plan import Mode
from common.verdicts import AppliedWaiver, Finding, Outcome, OutcomeKind, Reason, Result, Severity, Verdict
from tests.support.records import EVENT, VERDICT, record

OK = Verdict(Result.OK, "OK: fine", Reason.DEADLINE, VERDICT.decided_at + 60)
CODE = "ext"


def test_a_dead_event_shows_that_nothing_was_accepted() -> None:
    dead = record(State.DEAD, verdict=OK)
    shown = dead.to_json(CODE)
    assert (shown["verdict"], shown["rerun"]) == (None, None)
    assert shown["frozen"] == OK.to_json()


def test_an_answered_event_shows_what_was_accepted_when_and_how() -> None:
    answered = record(
        State.REPORTED,
        verdict=VERDICT,
        accepted_verdict=VERDICT,
        reported_at=5.0,
        accepted_how="posted",
        accepted_run=1,
    )
    shown = answered.to_json(CODE)
    assert shown["verdict"] == {**VERDICT.to_json(), "reported_at": 5.0, "how": "posted"}
    assert (shown["frozen"], shown["rerun"]) == (None, None)


def test_a_rerun_is_shown_beside_the_accepted_verdict() -> None:
    rerun = record(
        State.REPORTED,
        run=2,
        verdict=OK,
        accepted_verdict=VERDICT,
        reported_at=5.0,
        accepted_how="posted",
        accepted_run=1,
    )
    shown = rerun.to_json(CODE)
    assert rerun.is_rerun_different
    assert shown["verdict"]["result"] == "FAIL"
    assert shown["rerun"] == {**OK.to_json(), "run": 2, "is_different": True}


def test_a_verdict_that_dataworks_did_not_take_is_no_rerun() -> None:
    answered = record(
        State.REPORTED, verdict=OK, accepted_verdict=VERDICT, accepted_how="already answered", accepted_run=1
    )
    assert (answered.rerun_verdict, answered.frozen_verdict) == (None, None)
    assert not answered.is_rerun_different


def test_a_record_of_an_earlier_version_shows_the_time_of_the_acceptance() -> None:
    fields = {
        "event": orjson.dumps(EVENT.to_json()),
        "state": b"reported",
        "run": b"2",
        "received": b"1780000000000",
        "admitted": b"1780000000100",
        "deadline": b"1780000060000",
        "verdict": orjson.dumps(OK.to_json()),
        "taken": orjson.dumps(VERDICT.to_json()),
        "reported": b"1780000099000",
        "timeline": b"1780000001000 reported posted\n1780000050000 requeued run 2 by me@host: again\n"
        b"1780000099000 reported rerun OK, not posted: FAIL was already accepted\n",
    }
    old = EventRecord.from_hash({name.encode(): value for name, value in fields.items()})
    assert (old.reported_at, old.accepted_how) == (1780000001.0, "posted")
    assert old.accepted_verdict == VERDICT
    assert old.rerun_verdict == OK
    assert old.is_rerun_different


TIMELINE = """\
1780000000100 admitted
1780000001000 decided FAIL complete
1780000002000 dead rejected by DataWorks
1780000003000 requeued run 2 by me@host: key renewed
1780000004000 decided FAIL complete
1780000005000 reported posted
1780000006000 requeued run 3 by me@host: again
1780000007500 decided WARN deadline
1780000008000 rerun WARN, not posted: FAIL was already accepted
1780000009000 requeued run 4 by me@host: run 9 again
"""


def test_the_verdict_of_each_run_is_listed_with_what_became_of_it() -> None:
    event = record(
        State.CHECKING,
        run=4,
        accepted_verdict=VERDICT,
        reported_at=1780000005.0,
        accepted_run=2,
        timeline=parse_timeline(TIMELINE),
    )
    first, second, third, fourth = event.runs
    assert first == RunVerdict(1, RunState.FROZEN, Result.FAIL, Reason.COMPLETE, 1780000001.0)
    assert (second.state, second.tip, second.decided_at) == (
        RunState.ACCEPTED,
        VERDICT.tip,
        VERDICT.decided_at,
    )
    assert third == RunVerdict(3, RunState.RERUN, Result.WARN, Reason.DEADLINE, 1780000007.5)
    assert fourth == RunVerdict(4, RunState.UNDECIDED)
    assert event.to_json(CODE)["runs"][1]["state"] == "accepted"


def test_the_latest_run_has_its_tip_and_older_records_name_the_accepted_run_by_the_timeline() -> None:
    timeline = parse_timeline(
        "1780000005000 reported posted\n1780000006000 requeued run 2 by me@host: again\n"
    )
    event = record(
        State.REPORTED, run=2, verdict=OK, accepted_verdict=VERDICT, accepted_run=None, timeline=timeline
    )
    assert [(run.state, run.tip) for run in event.runs] == [
        (RunState.ACCEPTED, VERDICT.tip),
        (RunState.RERUN, OK.tip),
    ]
    assert [run.state for run in record(State.DEAD, verdict=OK).runs] == [RunState.FROZEN]


BLOCK = Finding("r", Severity.BLOCK, "m.")


@pytest.mark.parametrize(
    ("outcome", "mode", "counted", "would_be"),
    [
        (Outcome.of([BLOCK]), Mode.AUDIT, "OK", "FAIL"),
        (Outcome.of([BLOCK]), Mode.WARN, "WARN", "FAIL"),
        (Outcome.of([replace(BLOCK, waived=AppliedWaiver("W", "known"))]), Mode.AUDIT, "OK", "OK"),
        (Outcome.of([replace(BLOCK, suppressed="known")]), Mode.ENFORCE, "OK", "OK"),
        (Outcome(OutcomeKind.UNREVIEWABLE), Mode.AUDIT, "OK", "FAIL"),
        (Outcome(OutcomeKind.SKIPPED), Mode.ENFORCE, "OK", "OK"),
        (None, Mode.AUDIT, "OK", "FAIL"),
    ],
)
def test_a_record_has_the_result_that_it_would_have_had_in_mode_enforce(
    outcome: Outcome | None, mode: Mode, counted: str, would_be: str
) -> None:
    event = record(State.REPORTED, "c", verdict=OK, outcomes={"c": outcome} if outcome else {})
    assert event.plan
    plan = replace(event.plan, checks=(replace(event.plan.checks[0], mode=mode),))
    shown = replace(event, plan=plan).to_json(CODE)
    assert (shown["checks"][0]["result"], shown["checks"][0]["would_be"]) == (counted, would_be)
    assert shown["would_be"] == would_be


def test_a_check_that_still_runs_counts_as_nothing() -> None:
    running = record(State.CHECKING, "a", "b", outcomes={"a": Outcome.of([])})
    shown = running.to_json(CODE)
    assert shown["would_be"] == "OK"
    assert [check["result"] for check in shown["checks"]] == ["OK", None]
    assert record(State.RECEIVED).would_be_result is None


def test_findings_are_counted_by_severity_without_accepted_ones() -> None:
    found = [BLOCK, BLOCK, replace(BLOCK, severity=Severity.INFO), replace(BLOCK, suppressed="known")]
    event = record(State.REPORTED, "c", outcomes={"c": Outcome.of(found)})
    assert event.severity_counts == {Severity.BLOCK: 2, Severity.WARN: 0, Severity.INFO: 1}
    assert event.to_json(CODE)["checks"][0]["severities"] == {"block": 2, "warn": 0, "info": 1}
