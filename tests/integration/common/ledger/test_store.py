"""The ledger on a real Valkey: its operations, their races, and the queries."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.events import Event
from common.ledger import EventProgress, EventRecord, Ledger, MarkResult, State, connect
from common.verdicts import (
    Finding,
    Outcome,
    OutcomeKind,
    Reason,
    Result,
    Severity,
    Subject,
    SubjectKind,
    Verdict,
)
from tests.support.engines import Valkey
from tests.support.plans import plan_of

PASSED = Outcome(OutcomeKind.PASSED)
BLOCKED = Outcome.of([Finding("MC-C01", Severity.BLOCK, "SELECT * of ods_order", line=3, column=8)])
PLAN = plan_of("code-review", "release-window")


def event(message_id: str = "m-1", *, project_id: int | None = 7, at: float | None = None) -> Event:
    return Event(message_id, "commit-file", project_id, "u", True, {"fileId": 1}, at or time.time())


def verdict(result: Result) -> Verdict:
    return Verdict(result, f"{result} tip", Reason.COMPLETE, time.time())


@pytest.fixture
def ledger(clean_redis_url: str) -> Iterator[Ledger]:
    client = connect(clean_redis_url)
    ledger = Ledger(client, "ext-1", event_seconds=3600, code_seconds=60)
    ledger.lease_due(1)  # a watchdog runs before events arrive
    yield ledger
    client.close()


def admit(ledger: Ledger, an_event: Event, deadline: float = 60) -> EventRecord:
    fresh, record = ledger.admit(an_event, an_event.received_at + deadline, an_event.received_at + deadline)
    assert fresh
    return record


def checking(ledger: Ledger, message_id: str = "m-1") -> None:
    admit(ledger, event(message_id))
    assert ledger.save_plan(message_id, 1, PLAN, {"file": {"content": "SELECT 1"}}, {})


def reported(ledger: Ledger, message_id: str = "m-1", result: Result = Result.FAIL) -> None:
    checking(ledger, message_id)
    assert ledger.acquire_report_lease(message_id, "o", 5).record
    frozen = ledger.freeze_verdict(message_id, "o", verdict(result))
    assert frozen
    assert ledger.mark_reported(message_id, "o", "posted", frozen.verdict) is MarkResult.RECORDED


def test_concurrent_deliveries_admit_an_event_once(ledger: Ledger) -> None:
    first = event()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ledger.admit(first, 1e10, 1e10), range(40)))

    assert [fresh for fresh, _ in answers].count(True) == 1
    record = ledger.get("m-1")
    assert record
    assert record.deliveries == 40
    assert record.event == first
    assert record.state is State.RECEIVED


def test_several_events_are_admitted_in_one_call(ledger: Ledger) -> None:
    now = time.time()
    wanted = [(event(f"m-{number}", project_id=number), now + 60, now + 48) for number in (1, 2, 3, 2)]
    answers = ledger.admit_all(wanted)

    assert [fresh for fresh, _ in answers] == [True, True, True, False]
    assert [record.event.message_id for _, record in answers] == ["m-1", "m-2", "m-3", "m-2"]
    assert answers[3][1].deliveries == 2
    assert [record.event.message_id for record in ledger.find(project_id=3)] == ["m-3"]


def test_the_first_plan_of_a_run_is_kept(ledger: Ledger) -> None:
    admit(ledger, event())
    assert ledger.save_plan("m-1", 1, PLAN, None, {"release-window": PASSED})
    assert not ledger.save_plan("m-1", 1, plan_of(), None, {})

    record = ledger.get("m-1")
    assert record
    assert record.planned_checks == ("code-review", "release-window")
    assert record.pending_checks == ("code-review",)
    assert record.state is State.CHECKING


def test_attempts_are_counted_and_returned_with_the_snapshot(ledger: Ledger) -> None:
    checking(ledger)
    started = ledger.start_attempts("m-1", 1, ["code-review"])
    again = ledger.start_attempts("m-1", 1, ["code-review"])

    assert started
    assert again
    assert (started.attempts, again.attempts) == ({"code-review": 1}, {"code-review": 2})
    assert again.snapshot == {"file": {"content": "SELECT 1"}}


def test_a_check_with_an_outcome_is_not_started_again(ledger: Ledger) -> None:
    checking(ledger)
    ledger.record_outcomes("m-1", 1, {"code-review": PASSED})
    assert ledger.start_attempts("m-1", 1, ["code-review"]) is None

    started = ledger.start_attempts("m-1", 1, ["code-review", "release-window"])
    assert started
    assert started.attempts == {"release-window": 1}


def test_the_first_outcome_is_kept_and_every_later_call_reports_completion(ledger: Ledger) -> None:
    checking(ledger)
    assert not ledger.record_outcomes("m-1", 1, {"code-review": BLOCKED}).is_complete
    assert not ledger.record_outcomes("m-1", 1, {"code-review": PASSED}).is_complete
    assert ledger.record_outcomes("m-1", 1, {"release-window": PASSED}).is_complete
    assert ledger.record_outcomes("m-1", 1, {"release-window": PASSED}).is_complete
    assert ledger.record_outcomes("m-1", 1, {}).is_complete

    record = ledger.get("m-1")
    assert record
    assert record.outcomes == {"code-review": BLOCKED, "release-window": PASSED}


def test_one_reporter_has_the_lease_and_another_gets_it_when_it_expires(ledger: Ledger) -> None:
    checking(ledger)
    assert ledger.acquire_report_lease("m-1", "first", 0.3).record
    rejected = ledger.acquire_report_lease("m-1", "second", 5)
    assert rejected.record is None
    assert rejected.wait
    assert 0 < rejected.wait <= 0.3

    limit = time.monotonic() + 5
    while not ledger.acquire_report_lease("m-1", "second", 5).record:
        assert time.monotonic() < limit
    assert ledger.freeze_verdict("m-1", "first", verdict(Result.OK)) is None


def test_a_lower_patience_takes_over_before_the_lease_expires(ledger: Ledger) -> None:
    checking(ledger)
    assert ledger.acquire_report_lease("m-1", "first", 5).record
    rejected = ledger.acquire_report_lease("m-1", "second", 5, patience=0.3)
    assert rejected.wait
    assert rejected.wait <= 0.3

    limit = time.monotonic() + 5
    while not ledger.acquire_report_lease("m-1", "second", 5, patience=0.3).record:
        assert time.monotonic() < limit
    assert ledger.freeze_verdict("m-1", "first", verdict(Result.OK)) is None
    assert ledger.freeze_verdict("m-1", "second", verdict(Result.OK))


def test_a_verdict_is_frozen_once_and_a_second_post_is_detected(ledger: Ledger) -> None:
    checking(ledger)
    ledger.acquire_report_lease("m-1", "a", 5)
    first = ledger.freeze_verdict("m-1", "a", verdict(Result.FAIL))
    second = ledger.freeze_verdict("m-1", "a", verdict(Result.OK))

    assert first
    assert second
    assert first.may_be_answered is False
    assert second.verdict.result is Result.FAIL
    assert second.may_be_answered is True


def test_a_post_that_was_certainly_not_applied_needs_no_query(ledger: Ledger) -> None:
    checking(ledger)
    ledger.acquire_report_lease("m-1", "a", 5)
    ledger.freeze_verdict("m-1", "a", verdict(Result.FAIL))
    ledger.release_report_lease("m-1", "a", "throttled", unposted=True)
    ledger.acquire_report_lease("m-1", "b", 5)
    frozen = ledger.freeze_verdict("m-1", "b", verdict(Result.OK))

    assert frozen
    assert frozen.verdict.result is Result.FAIL
    assert frozen.may_be_answered is False


def test_racing_reporters_freeze_one_verdict(ledger: Ledger) -> None:
    checking(ledger)

    def attempt(number: int) -> Result | None:
        owner = f"o{number}"
        if not ledger.acquire_report_lease("m-1", owner, 5).record:
            return None
        frozen = ledger.freeze_verdict("m-1", owner, verdict(Result.FAIL if number % 2 else Result.OK))
        return frozen.verdict.result if frozen else None

    with ThreadPoolExecutor(8) as pool:
        results = [result for result in pool.map(attempt, range(40)) if result]
    assert len(results) == 1


def test_a_reported_event_is_final(ledger: Ledger) -> None:
    reported(ledger)

    assert ledger.acquire_report_lease("m-1", "late", 5).record is None
    assert ledger.acquire_report_lease("m-1", "late", 5).wait is None
    assert ledger.record_outcomes("m-1", 1, {"code-review": PASSED}).is_stale
    assert ledger.lease_due(1).message_ids == []
    record = ledger.get("m-1")
    assert record
    assert record.state is State.REPORTED
    assert record.accepted_verdict
    assert record.reported_at


def test_due_events_are_leased_and_due_again(ledger: Ledger) -> None:
    now = time.time()
    ledger.admit(event("late"), now, now - 1)
    ledger.admit(event("later"), now + 60, now + 60)

    assert ledger.lease_due(0.2).message_ids == ["late"]
    assert ledger.lease_due(0.2).message_ids == []
    limit = time.monotonic() + 5
    while ledger.lease_due(0.2).message_ids != ["late"]:
        assert time.monotonic() < limit


def test_of_due_events_the_nearest_deadline_is_leased_first(ledger: Ledger) -> None:
    """Also before events that were due earlier, and after its post was refused and it was put off."""
    now = time.time()
    ledger.admit(event("first due"), now + 15, now - 3)
    ledger.admit(event("nearest"), now + 4, now - 1)
    ledger.admit(event("late"), now - 1, now - 4)
    ledger.admit(event("unknown"), now + 4, now - 2)
    ledger.client.delete(ledger.key("event:unknown"))

    assert ledger.lease_due(60, 1).message_ids == ["nearest"]
    ledger.make_due("nearest", -1)
    assert ledger.lease_due(60, 1).message_ids == ["nearest"]
    assert ledger.lease_due(60, 2).message_ids == ["first due", "unknown"]
    assert ledger.lease_due(60, 2).message_ids == ["late"]
    assert ledger.lease_due(60, 2).message_ids == []


def test_an_event_without_a_deadline_is_never_due(ledger: Ledger) -> None:
    now = time.time()
    ledger.admit(event("unwatched"), now, now - 1)
    ledger.admit(event("watched"), now, now - 1)
    ledger.unschedule("unwatched")

    assert ledger.lease_due(60).message_ids == ["watched"]


def test_an_ignored_event_is_final(ledger: Ledger) -> None:
    checking(ledger)
    assert ledger.mark_ignored("m-1", "no process waits")
    assert not ledger.mark_ignored("m-1", "again")
    assert ledger.states(["m-1", "unknown"]) == [State.IGNORED, None]
    assert ledger.lease_due(60).message_ids == []


def test_an_ignored_event_can_be_run_after_all(ledger: Ledger) -> None:
    admit(ledger, event())
    ledger.mark_ignored("m-1", "no process waits")
    assert ledger.reopen("m-1", time.time() + 60, time.time() - 1, actor="me@host", reason="it waits") == 2
    assert ledger.states(["m-1"]) == [State.RECEIVED]
    assert ledger.lease_due(60).message_ids == ["m-1"]


@pytest.mark.parametrize("end", [State.DEAD, State.IGNORED, State.REPORTED])
def test_an_event_that_has_ended_stays_as_it_ended(ledger: Ledger, end: State) -> None:
    if end is State.REPORTED:
        reported(ledger)
    else:
        checking(ledger)
        assert {State.DEAD: ledger.mark_dead, State.IGNORED: ledger.mark_ignored}[end]("m-1", "first")
    before = ledger.get("m-1")

    assert not ledger.mark_dead("m-1", "too late")
    assert not ledger.mark_ignored("m-1", "too late")
    assert ledger.get("m-1") == before
    assert ledger.counts()[end] == 1


def test_a_rerun_that_was_ignored_stays_ignored(ledger: Ledger) -> None:
    reported(ledger)
    assert ledger.reopen("m-1", time.time() + 60, time.time() + 50, actor="me@host", reason="again") == 2
    assert ledger.acquire_report_lease("m-1", "late", 5).record
    assert ledger.mark_ignored("m-1", "no process waits")

    assert not ledger.mark_rerun("m-1", "late", 2, "OK, not posted", is_different=True)
    assert ledger.states(["m-1"]) == [State.IGNORED]
    assert list(ledger.audit_trail.entries())[-1].action == "requeue"


def test_a_snapshot_is_stored_unchanged(ledger: Ledger) -> None:
    admit(ledger, event())
    snapshot = {"file": {"name": "ods_order", "content": "SELECT 1"}}
    ledger.save_plan("m-1", 1, PLAN, snapshot, {})

    assert ledger.snapshot("m-1") == snapshot
    assert ledger.snapshot("unknown") is None


def test_a_dead_event_can_still_be_reported(ledger: Ledger) -> None:
    checking(ledger)
    assert ledger.mark_dead("m-1", "no\nanswer")
    assert not ledger.mark_dead("m-1", "again")
    assert ledger.acquire_report_lease("m-1", "reviver", 5).record
    record = ledger.get("m-1")
    assert record
    assert record.timeline[-1].detail == "no answer"


def test_a_dead_event_stays_dead_until_it_is_reported(ledger: Ledger) -> None:
    checking(ledger)
    ledger.mark_dead("m-1", "no answer")
    ledger.acquire_report_lease("m-1", "reviver", 5)
    assert ledger.freeze_verdict("m-1", "reviver", verdict(Result.FAIL))
    assert ledger.counts()[State.DEAD] == 1
    ledger.release_report_lease("m-1", "reviver", "refused", unposted=True)
    assert ledger.states(["m-1"]) == [State.DEAD]

    ledger.acquire_report_lease("m-1", "reviver", 5)
    ledger.mark_reported("m-1", "reviver", "posted", verdict(Result.FAIL))
    assert ledger.states(["m-1"]) == [State.REPORTED]
    assert [entry.action for entry in ledger.audit_trail.entries()] == ["dead-answered"]


def test_a_requeue_starts_a_new_run_and_stale_tasks_are_dropped(ledger: Ledger) -> None:
    checking(ledger)
    ledger.record_outcomes("m-1", 1, {"code-review": BLOCKED})
    assert ledger.reopen("m-1", time.time() + 60, time.time() + 50, actor="me@host", reason="again") == 0
    ledger.mark_dead("m-1", "down")
    assert ledger.reopen("m-1", time.time() + 60, time.time() + 50, actor="me@host", reason="again") == 2

    assert ledger.record_outcomes("m-1", 1, {"release-window": PASSED}).is_stale
    assert ledger.start_attempts("m-1", 1, ["code-review"]) is None
    record = ledger.get("m-1")
    assert record
    assert (record.state, record.run, record.outcomes, record.plan) == (State.RECEIVED, 2, {}, None)


def test_an_event_keeps_its_decision_time_until_a_requeue(ledger: Ledger) -> None:
    at = float(int(time.time()))
    _, admitted = ledger.admit(event(at=at), at + 60, at + 41)
    _, redelivered = ledger.admit(event(at=at), at + 600, at + 585)
    assert [(each.deadline_at, each.watch_at) for each in (admitted, redelivered)] == [(at + 60, at + 41)] * 2

    ledger.mark_dead("m-1", "down")
    ledger.reopen("m-1", at + 120, at + 103, actor="me@host", reason="again")
    requeued = ledger.get("m-1")
    assert requeued
    assert (requeued.deadline_at, requeued.watch_at) == (at + 120, at + 103)


@pytest.mark.parametrize(("deadline", "margin"), [(60, 12), (5, 2), (3600, 15)])
def test_an_event_of_an_earlier_version_gets_the_margin_of_its_deadline(
    ledger: Ledger, deadline: float, margin: float
) -> None:
    at = float(int(time.time()))
    ledger.admit(event(at=at), at + deadline, at)
    ledger.client.hdel(ledger.key("event:m-1"), "watch")
    record = ledger.get("m-1")
    assert record
    assert record.watch_at == at + deadline - margin


def test_a_requeue_keeps_an_accepted_verdict(ledger: Ledger) -> None:
    reported(ledger, result=Result.FAIL)
    ledger.reopen("m-1", time.time() + 60, time.time() + 50, actor="me@host", reason="again")
    ledger.acquire_report_lease("m-1", "o", 5)
    ledger.freeze_verdict("m-1", "o", verdict(Result.OK))
    before = ledger.get("m-1")
    assert before
    assert ledger.mark_reported("m-1", "o", "posted", verdict(Result.OK)) is MarkResult.KNOWN_BEFORE
    assert ledger.mark_rerun("m-1", "o", 2, "OK, not posted", is_different=True)
    assert not ledger.mark_rerun("m-1", "o", 2, "OK, not posted", is_different=True)

    record = ledger.get("m-1")
    assert record
    assert record.state is State.REPORTED
    assert record.accepted_verdict
    assert record.rerun_verdict
    assert (record.accepted_verdict.result, record.rerun_verdict.result) == (Result.FAIL, Result.OK)
    assert (record.reported_at, record.accepted_how) == (before.reported_at, "posted")
    assert record.timeline[-1].kind == "rerun"
    assert [entry.action for entry in ledger.audit_trail.entries()] == ["requeue", "rerun-differs"]
    assert ledger.lease_due(1).message_ids == []


def test_an_event_that_redis_has_lost_cannot_be_marked(ledger: Ledger) -> None:
    assert ledger.mark_reported("m-1", "o", "posted", verdict(Result.OK)) is MarkResult.UNKNOWN_EVENT
    assert ledger.get("m-1") is None


def test_the_first_accepted_verdict_is_kept(ledger: Ledger) -> None:
    checking(ledger)
    ledger.mark_reported("m-1", "a", "posted", verdict(Result.FAIL))
    ledger.mark_reported("m-1", "b", "posted", verdict(Result.OK))
    record = ledger.get("m-1")
    assert record
    assert record.accepted_verdict
    assert record.accepted_verdict.result is Result.FAIL


def test_a_requeue_keeps_a_possibly_accepted_verdict(ledger: Ledger) -> None:
    checking(ledger)
    ledger.acquire_report_lease("m-1", "o", 5)
    ledger.freeze_verdict("m-1", "o", verdict(Result.FAIL))
    ledger.mark_dead("m-1", "reply lost")
    ledger.reopen("m-1", time.time() + 60, time.time() + 50, actor="me@host", reason="again")

    record = ledger.get("m-1")
    assert record
    assert record.state is State.DECIDED
    assert record.verdict
    assert record.verdict.result is Result.FAIL


@pytest.mark.parametrize("message_id", ["unknown"])
def test_an_unknown_event_is_reported_as_unknown(ledger: Ledger, message_id: str) -> None:
    assert ledger.get(message_id) is None
    assert ledger.states([message_id]) == [None]
    assert ledger.start_attempts(message_id, 1, ["c"]) is None
    assert ledger.acquire_report_lease(message_id, "o", 1).record is None
    assert ledger.reopen(message_id, 1, 1, actor="me@host", reason="again") == -1
    assert not ledger.mark_dead(message_id, "why")
    assert ledger.record_outcomes(message_id, 1, {"c": PASSED}).is_stale


def test_lists_by_state_workspace_and_time(ledger: Ledger) -> None:
    now = time.time()
    for number in range(12):
        admit(ledger, event(f"m-{number}", project_id=number % 3, at=now - number))
    ledger.mark_dead("m-4", "down")

    newest = [record.event.message_id for record in ledger.find(limit=3)]
    assert newest == ["m-0", "m-1", "m-2"]
    assert [record.event.message_id for record in ledger.find(project_id=1)] == ["m-1", "m-4", "m-7", "m-10"]
    assert [record.event.message_id for record in ledger.find(states=[State.DEAD])] == ["m-4"]
    assert [r.event.message_id for r in ledger.find(states=[State.DEAD], project_id=1)] == ["m-4"]
    assert len(ledger.find(since=now - 5.5)) == 6
    assert ledger.counts()[State.RECEIVED] == 11


def test_events_and_their_index_entries_expire(clean_redis_url: str) -> None:
    client = connect(clean_redis_url)
    ledger = Ledger(client, "ext-1", event_seconds=0.2, code_seconds=0.2)
    admit(ledger, event("old"))
    limit = time.monotonic() + 5
    while ledger.get("old"):
        assert time.monotonic() < limit
    admit(ledger, event("new"))

    assert [record.event.message_id for record in ledger.find()] == ["new"]
    assert client.zcard(ledger.key("all")) == 1
    assert client.zcard(ledger.key("project:7")) == 1
    client.close()


def test_extensions_share_no_keys(ledger: Ledger) -> None:
    other = Ledger(ledger.client, "ext-2")
    admit(ledger, event())
    assert other.get("m-1") is None
    assert other.admit(event(), 1e10, 1e10)[0]


def test_rejects_are_listed_newest_first(ledger: Ledger) -> None:
    ledger.reject(b"[1]", "not an object")
    ledger.reject(b"\xff\xfe", "not JSON")
    assert [entry["reason"] for entry in ledger.rejects()] == ["not JSON", "not an object"]
    assert ledger.rejects()[1]["body"] == "[1]"


def test_the_time_until_the_next_event_is_due_is_known(ledger: Ledger) -> None:
    assert ledger.lease_due(60).following_seconds is None
    now = time.time()
    for message_id, seconds in (("later", 50), ("next", 20)):
        ledger.admit(event(message_id), now + 60, now + seconds)
    following = ledger.lease_due(60).following_seconds
    assert following
    assert 15 < following <= 20.1
    for message_id in ("due", "due too"):
        ledger.admit(event(message_id), now + 60, now - 1)
    found, following = ledger.lease_due(30, 1)
    assert (len(found), following) == (1, 0), "the other one is due, too"
    assert len(ledger.lease_due(10, 2).message_ids) == 1
    following = ledger.lease_due(10).following_seconds
    assert following
    assert following <= 10, "the lease that ends first"


def test_one_leader_at_a_time(ledger: Ledger) -> None:
    assert ledger.membership.try_lead("reconciler", 60)
    assert not ledger.membership.try_lead("reconciler", 60)
    assert ledger.membership.try_lead("another", 60)


def test_an_operation_counts_as_seen_only_after_the_delay(ledger: Ledger) -> None:
    assert not ledger.seen_at_least_ago("m-1", 0.1)
    limit = time.monotonic() + 5
    while not ledger.seen_at_least_ago("m-1", 0.1):
        assert time.monotonic() < limit


def test_the_ledger_survives_a_crash_of_its_server(ledger: Ledger, valkey: Valkey) -> None:
    checking(ledger)
    ledger.acquire_report_lease("m-1", "o", 5)
    ledger.freeze_verdict("m-1", "o", verdict(Result.FAIL))
    valkey.sync()
    valkey.kill()
    valkey.start()

    record = ledger.get("m-1")
    assert record
    assert record.verdict
    assert (record.state, record.verdict.result) == (State.DECIDED, Result.FAIL)
    assert ledger.lease_due(1).message_ids == []


def test_the_progress_of_an_event_is_that_of_its_record(ledger: Ledger) -> None:
    assert ledger.progress("m-1") is None
    seen: list[tuple[State, int, int, bool]] = []

    def look() -> None:
        progress, record = ledger.progress("m-1"), ledger.get("m-1")
        assert progress
        assert record
        assert progress == EventProgress.of(record)
        seen.append((progress.state, progress.run, progress.done, progress.is_accepted))

    admit(ledger, event())
    look()
    ledger.save_plan("m-1", 1, PLAN, None, {"code-review": PASSED})
    look()
    ledger.record_outcomes("m-1", 1, {"code-review": PASSED, "release-window": PASSED})
    look()
    assert ledger.acquire_report_lease("m-1", "o", 5).record
    ledger.freeze_verdict("m-1", "o", verdict(Result.OK))
    ledger.mark_reported("m-1", "o", "posted", verdict(Result.OK))
    look()
    ledger.reopen("m-1", 1e10, 1e10, actor="me", reason="again")
    look()
    assert seen == [
        (State.RECEIVED, 1, 0, False),
        (State.CHECKING, 1, 1, False),
        (State.CHECKING, 1, 2, False),
        (State.REPORTED, 1, 2, True),
        (State.RECEIVED, 2, 0, True),
    ]


def test_an_event_removes_a_part_of_many_entries_that_are_too_old_at_once(ledger: Ledger) -> None:
    old = {f"old-{number}": (time.time() - 7200) * 1000 + number for number in range(250)}
    indexes = ["all", "state:reported", "project:7", "index:point:commit-file", "index:operator:u"]
    for index in indexes:
        ledger.client.zadd(ledger.key(index), old)
    left = []
    for number in range(3):
        admit(ledger, event(f"m-{number}"))
        left.append({ledger.client.zcount(ledger.key(index), "-inf", old["old-249"]) for index in indexes})

    assert left == [{150}, {50}, {0}]
    assert ledger.client.zrange(ledger.key("all"), 0, -1) == [b"m-0", b"m-1", b"m-2"]


def test_a_plan_removes_a_part_of_many_names_that_are_too_old_at_once(ledger: Ledger) -> None:
    names = ledger.key("index:subjects")
    ledger.client.zadd(names, {f"old-{number}": (time.time() - 7200) * 1000 for number in range(150)})
    left = []
    for number in range(2):
        admit(ledger, event(f"m-{number}"))
        file = Subject(SubjectKind.FILE, "1", "dws_trade")
        assert ledger.save_plan(f"m-{number}", 1, PLAN, None, {}, subjects=[file])
        left.append(ledger.client.zcard(names))

    assert left == [51, 1]
