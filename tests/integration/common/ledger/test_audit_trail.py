"""The audit trail on a real Valkey."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.events import Event
from common.ledger import AuditAction, AuditEntry, AuditTrail, FileState, Ledger, connect
from common.verdicts import Reason, Result, Verdict

ENTRY = AuditEntry("me@host", AuditAction.REQUEUE, "m-1", "why")
POLICY = AuditAction.POLICY_CHANGED


@pytest.fixture
def ledger(clean_redis_url: str) -> Iterator[Ledger]:
    client = connect(clean_redis_url)
    yield Ledger(client, "ext-1")
    client.close()


@pytest.fixture
def trail(ledger: Ledger) -> AuditTrail:
    return ledger.audit_trail


def test_entries_are_returned_oldest_first_and_from_a_time_on(trail: AuditTrail) -> None:
    started = time.time()
    for number in range(1200):
        trail.record(AuditEntry("me@host", AuditAction.REQUEUE, f"m-{number}"))
    entries = list(trail.entries())
    assert [entry.subject for entry in entries] == [f"m-{number}" for number in range(1200)]
    assert entries[0].at >= started - 1
    assert list(trail.entries(started + 3600)) == []
    middle = entries[600].at
    assert list(trail.entries(middle)) == [entry for entry in entries if entry.at >= middle]


def test_texts_are_one_printable_line_even_if_written_by_others(trail: AuditTrail, ledger: Ledger) -> None:
    trail.record(AuditEntry("me\n@host", AuditAction.REQUEUE, "m\x1b[2J", "a\u202eb " + "x" * 1000))
    ledger.client.xadd(trail.key, {"actor": "\x07a", "action": "of-a-newer-version", "odd": b"\xff"})
    first, second = trail.entries()
    assert (first.actor, first.subject) == ("me @host", "m [2J")
    assert first.reason.startswith("a b x")
    assert len(first.reason) == 500
    assert (second.actor, second.action, second.subject) == ("a", "of-a-newer-version", "")


def test_old_entries_are_removed(trail: AuditTrail, ledger: Ledger) -> None:
    year_ago = int((time.time() - 399 * 86400) * 1000)
    for at in (1, 2, year_ago):
        ledger.client.xadd(trail.key, {"actor": "old"}, id=f"{at}-1")
    trail.record(ENTRY)
    assert [entry.actor for entry in trail.entries()] == ["old", "me@host"]


def test_the_number_of_entries_is_bounded(trail: AuditTrail, ledger: Ledger) -> None:
    pipe = ledger.client.pipeline(transaction=False)
    now = int(time.time() * 1000) - 1_000_000
    for number in range(100_010):
        pipe.xadd(trail.key, {"a": ""}, id=f"{now + number}-1")
    pipe.execute()
    trail.record(ENTRY)
    assert ledger.client.xlen(trail.key) == 100_000


def test_a_change_of_a_file_is_recorded_once_in_the_fleet(trail: AuditTrail) -> None:
    def record(number: int) -> bool:
        return trail.record_file(f"io-{number}@host", POLICY, "policy", FileState("d1", {}))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(record, range(40))) == 1
    [entry] = trail.entries()
    assert (entry.action, entry.subject, entry.old, entry.new) == ("policy-changed", "policy", "", "d1")


def test_a_change_names_the_items_that_changed(trail: AuditTrail) -> None:
    def record(state: FileState) -> bool:
        return trail.record_file("io@host", AuditAction.WAIVERS_CHANGED, "waivers", state)

    assert not record(FileState("", {}))
    assert record(FileState("d1", {"W-1": "a", "W-2": "b", "W-3": "c"}))
    assert record(FileState("d2", {"W-1": "a", "W-2": "x", "W-4": "d"}))
    assert not record(FileState("d2", {"W-1": "a", "W-2": "x", "W-4": "d"}))
    assert record(FileState("", {}))
    assert [(entry.reason, entry.old, entry.new) for entry in trail.entries()] == [
        ("added W-1, W-2, W-3", "", "d1"),
        ("added W-4; changed W-2; removed W-3", "d1", "d2"),
        ("removed W-1, W-2, W-4", "d2", ""),
    ]


def test_a_requeue_and_a_late_answer_of_a_dead_event_are_recorded(ledger: Ledger, trail: AuditTrail) -> None:
    now = time.time()
    ledger.admit(Event("m-1", "commit-file", 7, "u", True, {}, now), now + 60, now + 60)
    assert ledger.reopen("m-1", now + 60, now + 60, actor="me@host", reason="too early") == 0
    assert ledger.acquire_report_lease("m-1", "io-1", 5).record
    verdict = Verdict(Result.OK, "tip", Reason.COMPLETE, now)
    assert ledger.freeze_verdict("m-1", "io-1", verdict)
    ledger.mark_dead("m-1", "no reply")
    ledger.mark_reported("m-1", "io-1", "DataWorks has it", verdict)
    ledger.mark_reported("m-1", "io-1", "twice", verdict)
    assert ledger.reopen("m-1", now + 60, now + 60, actor="me@host", reason="new\npolicy") == 2

    assert [(entry.actor, entry.action, entry.subject, entry.reason) for entry in trail.entries()] == [
        ("io-1", "dead-answered", "m-1", "DataWorks has it"),
        ("me@host", "requeue", "m-1", "new policy"),
    ]
    record = ledger.get("m-1")
    assert record
    assert record.timeline[-1].detail == "run 2 by me@host: new policy"
