"""What a record says about the accepted verdict, the frozen one, and the one of a rerun."""

import orjson

from common.ledger import EventRecord, State
from common.verdicts import Reason, Result, Verdict
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
