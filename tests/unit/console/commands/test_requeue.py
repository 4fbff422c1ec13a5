from dataclasses import replace

import pytest

from common.ledger import EventRecord, State
from common.verdicts import Finding, Outcome, OutcomeKind, Severity
from console.commands.requeue import RequeueFilter
from console.output import tables
from console.requeues import RequeueAction, RequeueStep, plan
from tests.support.records import EVENT, VERDICT, record

ERROR = Outcome(OutcomeKind.ERROR, detail="DataWorks could not be queried")
TIMED_OUT = Outcome(OutcomeKind.TIMED_OUT)
PASSED = Outcome(OutcomeKind.PASSED)
FOUND = Outcome(OutcomeKind.FINDINGS, (Finding("r", Severity.BLOCK, "m"),))


@pytest.mark.parametrize("state", [State.RECEIVED, State.CHECKING, State.DECIDED])
def test_an_event_in_progress_is_unchanged(state: State) -> None:
    assert plan(record(state)) == RequeueAction(RequeueStep.LEAVE, "still in progress: unchanged")


@pytest.mark.parametrize("is_awaited", [False, None])
def test_an_ignored_event_is_unchanged_unless_dataworks_waits_for_it(is_awaited: bool | None) -> None:
    assert plan(record(State.IGNORED), is_awaited=is_awaited).step is RequeueStep.LEAVE
    assert plan(record(State.IGNORED), is_awaited=True).step is RequeueStep.RUN


def test_an_unknown_event_is_reported() -> None:
    assert plan(None) == RequeueAction(RequeueStep.UNKNOWN, "unknown event")


def test_an_answered_event_runs_again_but_its_accepted_result_stays() -> None:
    answered = record(
        State.REPORTED, verdict=VERDICT, posting_at=1.0, reported_at=2.0, accepted_verdict=VERDICT
    )
    when = tables.format_time(2.0)
    assert plan(answered) == RequeueAction(
        RequeueStep.RECORD,
        f"run again; FAIL was accepted on {when}, so a different result is recorded, not posted",
    )


def test_a_later_dead_run_keeps_the_accepted_result() -> None:
    assert plan(
        record(State.DEAD, verdict=VERDICT, posting_at=3.0, reported_at=2.0, accepted_verdict=VERDICT)
    ).step is (RequeueStep.RECORD)


def test_a_verdict_that_may_have_been_accepted_is_posted_unchanged() -> None:
    dead = record(State.DEAD, verdict=VERDICT, posting_at=1.0)
    assert plan(dead) == RequeueAction(RequeueStep.POST, "post the frozen verdict again: FAIL")


@pytest.mark.parametrize("dead", [record(State.DEAD), record(State.DEAD, verdict=VERDICT)])
def test_a_dead_event_without_an_answer_runs_again(dead: EventRecord) -> None:
    assert plan(dead) == RequeueAction(RequeueStep.RUN, "run again")


@pytest.mark.parametrize(
    ("filter_", "candidate", "passes"),
    [
        (RequeueFilter(failed=True), record(State.DEAD), True),
        (RequeueFilter(failed=True), record(State.REPORTED, "a", outcomes={"a": ERROR}), True),
        (RequeueFilter(failed=True), record(State.REPORTED, "a", outcomes={"a": TIMED_OUT}), True),
        (RequeueFilter(failed=True), record(State.REPORTED, "a", outcomes={"a": PASSED}), False),
        (RequeueFilter(failed=True), record(State.REPORTED, "a", outcomes={"a": FOUND}), False),
        (
            RequeueFilter(failed=True, check="a"),
            record(State.REPORTED, "a", "b", outcomes={"b": ERROR}),
            False,
        ),
        (
            RequeueFilter(failed=True, check="b"),
            record(State.REPORTED, "a", "b", outcomes={"b": ERROR}),
            True,
        ),
        (RequeueFilter(check="a"), record(State.REPORTED, "a"), True),
        (RequeueFilter(check="b"), record(State.REPORTED, "a"), False),
        (RequeueFilter(check="a"), record(State.DEAD), False),
        (RequeueFilter(event_code="commit-file"), record(State.DEAD), True),
        (
            RequeueFilter(event_code="commit-file"),
            record(State.DEAD, event=replace(EVENT, event_code="run-file")),
            False,
        ),
        (RequeueFilter(project=1), record(State.REPORTED), True),
    ],
)
def test_filters(filter_: RequeueFilter, candidate: EventRecord, *, passes: bool) -> None:
    assert filter_.filtered
    assert filter_.matches(candidate) is passes


def test_ids_are_not_a_filter() -> None:
    assert not RequeueFilter(ids=("e-1",)).filtered
    assert RequeueFilter(since=0.0).filtered
