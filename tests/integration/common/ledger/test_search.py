"""The search of the ledger on a real Valkey: filters, pages, and what the daily counters keep."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import pytest

from common.events import Event
from common.ledger import Cursor, EventQuery, EventRecord, Ledger, MarkResult, State, connect
from common.ledger.daily_counts import Count, Dimension, day_of
from common.ledger.queries import facets
from common.ledger.queries import search as search_module
from common.plan import Mode
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
from tests.support.plans import plan_of

PASSED = Outcome(OutcomeKind.PASSED)
BLOCKED = Outcome.of([Finding("MC-C01", Severity.BLOCK, "SELECT * of ods_order")])
NOW = float(int(time.time()))


@pytest.fixture
def ledger(clean_redis_url: str) -> Iterator[Ledger]:
    client = connect(clean_redis_url)
    ledger = Ledger(client, "ext-1", event_seconds=3600, code_seconds=60)
    ledger.lease_due(1)
    yield ledger
    client.close()


def add(
    ledger: Ledger,
    number: int,
    outcome: Outcome | None = PASSED,
    *,
    mode: Mode = Mode.ENFORCE,
    name: str = "dws_trade",
    operator: str = "u-1",
    code: str = "commit-file",
    at: float | None = None,
) -> None:
    """Admit the event `m-NUMBER`, older the higher its number; with an outcome it is reported."""
    message_id = f"m-{number}"
    event = Event(message_id, code, number % 3, operator, True, {}, NOW - number if at is None else at)
    _, record = ledger.admit(event, NOW + 60, NOW + 48)
    plan = plan_of("code-review")
    plan = replace(plan, checks=(replace(plan.checks[0], mode=mode),))
    subjects = [Subject(SubjectKind.FILE, str(1000 + number), name)]
    assert ledger.save_plan(message_id, 1, plan, None, {}, subjects=subjects)
    if outcome is None:
        return
    ledger.record_outcomes(message_id, 1, {"code-review": outcome})
    record = existing(ledger, message_id)
    assert record.plan
    verdict = Verdict(record.plan.checks[0].effective_result(outcome), "tip", Reason.COMPLETE, NOW)
    assert ledger.acquire_report_lease(message_id, "o", 5).record
    ledger.freeze_verdict(message_id, "o", verdict)
    assert ledger.mark_reported(message_id, "o", "posted", verdict, record) is MarkResult.RECORDED


def existing(ledger: Ledger, message_id: str) -> EventRecord:
    record = ledger.get(message_id)
    assert record
    return record


def found(ledger: Ledger, query: EventQuery, limit: int = 100) -> list[str]:
    return [record.event.message_id for record in ledger.search(query, limit=limit).records]


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    add(ledger, 0, BLOCKED, name="dws_Trade_user")
    add(ledger, 1, PASSED, operator="u-2", name="ads_stock")
    add(ledger, 2, BLOCKED, mode=Mode.AUDIT, code="deploy-file")
    add(ledger, 3, None)
    add(ledger, 4, Outcome(OutcomeKind.ERROR, detail="DataWorks does not reply"))
    return ledger


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (EventQuery(), ["m-0", "m-1", "m-2", "m-3", "m-4"]),
        (EventQuery(states=(State.CHECKING,)), ["m-3"]),
        (EventQuery(states=(State.CHECKING, State.REPORTED), projects=(0, 1)), ["m-0", "m-1", "m-3", "m-4"]),
        (EventQuery(results=(Result.FAIL,)), ["m-0", "m-4"]),
        (EventQuery(would_fail=True), ["m-2"]),
        (EventQuery(results=(Result.OK,)), ["m-1", "m-2"]),
        (EventQuery(results=(Result.FAIL,), would_fail=True), ["m-0", "m-2", "m-4"]),
        (EventQuery(check="code-review"), ["m-0", "m-2", "m-4"]),
        (EventQuery(check="code-review", results=(Result.FAIL,), projects=(1,)), ["m-4"]),
        (EventQuery(rule="MC-C01"), ["m-0", "m-2"]),
        (EventQuery(points=("deploy-file",)), ["m-2"]),
        (EventQuery(operator="u-2"), ["m-1"]),
        (EventQuery(name="TRADE_user"), ["m-0"]),
        (EventQuery(name="1003"), ["m-3"]),
        (EventQuery(name="m-4"), ["m-4"]),
        (EventQuery(name="m-4", projects=(1,), since=NOW - 4, until=NOW - 3), ["m-4"]),
        (EventQuery(name="m-4", projects=(2,)), []),
        (EventQuery(name="m-4", until=NOW - 4), []),
        (EventQuery(name="dws*user"), []),
        (EventQuery(name="trade", results=(Result.OK,)), ["m-2"]),
        (EventQuery(since=NOW - 1.5), ["m-0", "m-1"]),
        (EventQuery(until=NOW - 2), ["m-3", "m-4"]),
        (EventQuery(name="trade", since=NOW - 3, until=NOW), ["m-2", "m-3"]),
        (EventQuery(rule="MC-C99"), []),
    ],
)
def test_every_filter_selects_its_events(filled: Ledger, query: EventQuery, expected: list[str]) -> None:
    assert found(filled, query) == expected


def test_pages_continue_where_the_last_one_ended_while_events_arrive(ledger: Ledger) -> None:
    for number in range(25):
        add(ledger, number, None)
    pages, before = [], None
    while True:
        page = ledger.search(EventQuery(states=(State.CHECKING,)), limit=10, before=before)
        pages.append([record.event.message_id for record in page.records])
        add(ledger, 100 + len(pages), None, at=NOW + len(pages))
        if page.next is None:
            break
        before = Cursor.parse(str(page.next))

    assert [len(page) for page in pages] == [10, 10, 5]
    assert list(chain.from_iterable(pages)) == [f"m-{number}" for number in range(25)]


def test_more_events_of_one_millisecond_than_a_batch_are_each_found_once(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "_FIRST_BATCH", 2)
    for number in range(9):
        add(ledger, number, None, at=NOW)
    ids, before = [], None
    while (page := ledger.search(EventQuery(), limit=2, before=before)).next:
        ids += [record.event.message_id for record in page.records]
        before = page.next
    ids += [record.event.message_id for record in page.records]

    assert sorted(ids) == [f"m-{number}" for number in range(9)]


def test_a_search_that_took_too_long_ends_with_a_position(
    filled: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "_FIRST_BATCH", 2)
    monkeypatch.setattr(search_module, "MAX_NAMES", 0)
    monkeypatch.setattr(search_module, "MAX_SECONDS", 0)
    page = filled.search(EventQuery(name="1004"), limit=10)

    assert (page.records, page.is_cut) == ((), True)
    assert page.next
    assert page.next.message_id == "m-1"
    assert [record.event.message_id for record in filled.first(EventQuery(name="1004"), 10)] == ["m-4"]


def calls(ledger: Ledger, *commands: str) -> dict[str, int]:
    """Return how often Redis has run each command since its statistics were reset."""
    counted = ledger.client.info("commandstats")
    return {name: counted.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in commands}


def test_a_rare_name_is_looked_up_and_no_other_event_is_read(ledger: Ledger) -> None:
    for number in range(150):
        add(ledger, number, None, name=f"dws_{number % 50}_end")
    ledger.client.config_resetstat()

    assert found(ledger, EventQuery(name="_7_end")) == ["m-7", "m-57", "m-107"]
    assert found(ledger, EventQuery(name="_7_END", projects=(1,))) == ["m-7"]
    assert calls(ledger, "hget", "hgetall") == {"hget": 0, "hgetall": 4}


@pytest.mark.parametrize("names", [0, 500])
@pytest.mark.parametrize("batch", [1, 100])
def test_names_are_found_with_few_and_with_many_others(
    filled: Ledger, monkeypatch: pytest.MonkeyPatch, names: int, batch: int
) -> None:
    monkeypatch.setattr(search_module, "_MAX_FOUND_NAMES", names)
    monkeypatch.setattr(search_module, "_FIRST_BATCH", batch)

    assert found(filled, EventQuery(name="trade")) == ["m-0", "m-2", "m-3", "m-4"]
    assert found(filled, EventQuery(name="trade", states=(State.REPORTED,))) == ["m-0", "m-2", "m-4"]
    assert found(filled, EventQuery(name="trade", operator="u-2")) == []
    page = filled.search(EventQuery(name="trade"), limit=2)
    assert [record.event.message_id for record in page.records] == ["m-0", "m-2"]
    page = filled.search(EventQuery(name="trade"), limit=2, before=page.next)
    assert ([record.event.message_id for record in page.records], page.next) == (["m-3", "m-4"], None)


def test_signs_with_a_meaning_in_patterns_are_found_as_they_are(ledger: Ledger) -> None:
    for number, name in enumerate(("a*b", "a?b", "[ab]", "a\\b", "ab", "名称[1]")):
        add(ledger, number, None, name=name)

    for number, text in enumerate(("a*B", "a?b", "[ab]", "a\\b")):
        assert found(ledger, EventQuery(name=text)) == [f"m-{number}"]
    assert found(ledger, EventQuery(name="称[1")) == ["m-5"]


def test_an_event_is_not_found_by_the_names_of_an_earlier_run(filled: Ledger) -> None:
    filled.reopen("m-1", NOW + 60, NOW + 48, actor="me", reason="again")
    renamed = [Subject(SubjectKind.FILE, "1001", "ads_store")]
    filled.save_plan("m-1", 2, plan_of("code-review"), None, {}, subjects=renamed)

    assert found(filled, EventQuery(name="stock")) == []
    assert found(filled, EventQuery(name="store")) == ["m-1"]


def test_a_name_is_known_until_its_last_event_is_removed(ledger: Ledger) -> None:
    for number in (1, 2):
        ledger.admit(Event(f"m-{number}", "commit-file", 1, "u-1", True, {}, NOW), NOW + 60, NOW + 48)
        ledger.save_plan(
            f"m-{number}", 1, plan_of(), None, {}, subjects=[Subject(SubjectKind.FILE, "7", "dws_one")]
        )
        ledger.mark_ignored(f"m-{number}", "no operation waits")

    known = []
    for number in (1, 2):
        ledger.remove_ended([f"m-{number}"])
        known.append(ledger.client.zrange(ledger.key(facets.SUBJECTS_KEY), 0, -1))
    assert known == [[b"dws_one\n7"], []]


def test_arrivals_are_counted_by_interval(filled: Ledger) -> None:
    edges = [NOW - 4, NOW - 2, NOW - 1, NOW + 1]
    assert filled.arrivals(["all", "state:checking", "index:result:none"], edges) == [
        [2, 1, 2],
        [1, 0, 0],
        [0, 0, 0],
    ]


def test_an_index_entry_that_is_out_of_date_is_no_result(filled: Ledger) -> None:
    filled.reopen("m-0", NOW + 60, NOW + 48, actor="me", reason="again")
    filled.save_plan("m-0", 2, plan_of("code-review"), None, {"code-review": PASSED})

    assert found(filled, EventQuery(rule="MC-C01")) == ["m-2"]
    assert found(filled, EventQuery(results=(Result.FAIL,))) == ["m-0", "m-4"]


def test_a_dead_event_is_found_by_its_checks(ledger: Ledger) -> None:
    add(ledger, 1, None)
    ledger.record_outcomes("m-1", 1, {"code-review": BLOCKED})
    ledger.mark_dead("m-1", "DataWorks refuses the verdict", existing(ledger, "m-1"))

    assert found(ledger, EventQuery(states=(State.DEAD,), rule="MC-C01")) == ["m-1"]


def test_a_removed_event_leaves_nothing_in_the_indexes(ledger: Ledger) -> None:
    add(ledger, 1, BLOCKED)
    assert ledger.remove_ended(["m-1"]) == 1

    indexes = [
        key for part in ("index", "project", "state") for key in ledger.client.keys(ledger.key(f"{part}:*"))
    ]
    assert indexes == []


def test_a_reported_event_is_counted_once_and_its_rerun_is_not(ledger: Ledger) -> None:
    add(ledger, 0, BLOCKED)
    record = existing(ledger, "m-0")
    assert record.accepted_verdict
    ledger.mark_reported("m-0", "other", "DataWorks has it", record.accepted_verdict, record)
    ledger.reopen("m-0", NOW + 60, NOW + 48, actor="me", reason="again")
    ledger.save_plan("m-0", 2, plan_of("code-review"), None, {"code-review": BLOCKED})
    ledger.mark_rerun("m-0", "o", 2, "FAIL", is_different=False, record=existing(ledger, "m-0"))
    add(ledger, 2, BLOCKED, mode=Mode.AUDIT)

    day = day_of(NOW)
    counts = ledger.daily_counts.read(day, day, lambda counter: counter.dimension is not Dimension.OTHERS)
    numbers = {
        (item.counter.project_id, item.counter.dimension, item.counter.value, item.counter.count): item.number
        for item in counts
    }
    assert numbers == {
        (0, Dimension.POINT, "commit-file", Count.BLOCKED): 1,
        (0, Dimension.PERSON, "u-1", Count.BLOCKED): 1,
        (0, Dimension.CHECK, "code-review", Count.BLOCKED): 1,
        (0, Dimension.RULE, "MC-C01", Count.BLOCKED): 1,
        (2, Dimension.POINT, "commit-file", Count.PASSED): 1,
        (2, Dimension.POINT, "commit-file", Count.WOULD_BLOCK): 1,
        (2, Dimension.PERSON, "u-1", Count.PASSED): 1,
        (2, Dimension.PERSON, "u-1", Count.WOULD_BLOCK): 1,
        (2, Dimension.CHECK, "code-review", Count.PASSED): 1,
        (2, Dimension.CHECK, "code-review", Count.WOULD_BLOCK): 1,
        (2, Dimension.RULE, "MC-C01", Count.PASSED): 1,
        (2, Dimension.RULE, "MC-C01", Count.WOULD_BLOCK): 1,
    }


def test_counters_above_the_limit_of_a_day_are_one(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger.daily_counts, "limits", (3_600_000, 3, ledger.daily_counts.limits[2]))
    for number in range(3):
        add(ledger, number * 3, PASSED, operator=f"u-{number}")

    counts = ledger.daily_counts.read(day_of(NOW), day_of(NOW))
    assert len(counts) == 4
    assert sum(item.number for item in counts) == 9
    assert [item.number for item in counts if item.counter.dimension is Dimension.OTHERS] == [2]
