"""The memory of a real Redis: what is measured, and what is removed before it is full."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.events import Event
from common.ledger import Ledger, State, connect
from common.ledger.memory import SHED_ABOVE, LedgerMemory, MemoryUse
from common.verdicts import Reason, Result, Verdict
from tests.support.engines import Valkey
from tests.support.plans import plan_of

HOUR = 3600.0


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger in a server of its own, whose memory is limited."""
    server = Valkey(tmp_path)
    server.start()
    client = connect(server.url)
    yield Ledger(client, "ext-1")
    client.close()
    server.close()


def add(ledger: Ledger, name: str, *, age: float = 0.0, state: State = State.REPORTED, code: int = 0) -> str:
    """Add an event with this number of bytes of code that cannot be compressed."""
    arrival = time.time() - age
    event = Event(name, "commit-file", 1, "u", True, {}, arrival)
    ledger.admit(event, arrival + 60, arrival + 50)
    snapshot = {"content": os.urandom(code // 2).hex()} if code else None
    assert ledger.save_plan(name, 1, plan_of(), snapshot, {})
    if state is State.REPORTED:
        assert ledger.acquire_report_lease(name, "owner", 60).record
        verdict = Verdict(Result.OK, "", Reason.COMPLETE, arrival)
        assert ledger.freeze_verdict(name, "owner", verdict)
        ledger.mark_reported(name, "owner", "posted", verdict)
    elif state is State.DEAD:
        ledger.mark_dead(name, "test")
    elif state is State.IGNORED:
        ledger.mark_ignored(name, "test")
    return name


def limit(ledger: Ledger, share: float) -> MemoryUse:
    """Set maxmemory so that `share` of it is used."""
    memory = LedgerMemory(ledger)
    ledger.client.config_set("maxmemory", int(memory.use().used / share))
    return memory.use()


def test_nothing_is_removed_while_there_is_room(ledger: Ledger) -> None:
    add(ledger, "m-1", age=2 * HOUR, code=100_000)
    memory = LedgerMemory(ledger)
    assert memory.use().maximum == 0
    assert memory.shed(memory.use()).codes == 0
    assert memory.shed(limit(ledger, 0.7)).codes == 0
    assert ledger.snapshot("m-1")


def test_code_of_answered_events_is_removed_first_and_oldest_first(ledger: Ledger) -> None:
    names = [add(ledger, f"m-{number}", age=100 - number / 10, code=20_000) for number in range(600)]
    pending = add(ledger, "pending", age=200, state=State.CHECKING, code=20_000)
    dead = add(ledger, "dead", age=200, state=State.DEAD, code=20_000)
    shed = LedgerMemory(ledger).shed(limit(ledger, 0.9))

    assert 0 < shed.codes < len(names)
    assert shed.events == 0
    assert [ledger.snapshot(name) is None for name in names] == [
        number < shed.codes for number in range(len(names))
    ]
    assert ledger.snapshot(pending)
    assert ledger.snapshot(dead)
    assert LedgerMemory(ledger).use().share < SHED_ABOVE


def test_then_old_events_that_need_no_answer_are_removed(ledger: Ledger) -> None:
    old = [add(ledger, f"old-{number}", age=3 * HOUR - number) for number in range(1000)]
    ignored = add(ledger, "ignored", age=4 * HOUR, state=State.IGNORED)
    kept = [
        add(ledger, "young"),
        add(ledger, "dead", age=3 * HOUR, state=State.DEAD),
        add(ledger, "pending", age=3 * HOUR, state=State.CHECKING),
    ]
    memory = LedgerMemory(ledger)
    shed = memory.shed(limit(ledger, 0.95))

    assert shed.events > 0
    assert ledger.get(ignored) is None
    left = [name for name in old if ledger.get(name)]
    assert left == old[len(old) - len(left) :]
    assert all(ledger.get(name) for name in kept)
    assert ledger.counts()[State.REPORTED] == len(left) + 1


def test_a_full_server_gets_room_again(ledger: Ledger) -> None:
    for number in range(300):
        add(ledger, f"m-{number}", age=60, code=20_000)
    use = limit(ledger, 1.01)
    assert use.share > 1
    assert LedgerMemory(ledger).shed(use).codes > 0
    add(ledger, "new", state=State.CHECKING)


def test_events_that_exist_in_indexes_only_do_not_stop_it(ledger: Ledger) -> None:
    old = [add(ledger, f"old-{number}", age=3 * HOUR) for number in range(300)]
    ledger.client.delete(*(ledger.key(f"event:{name}") for name in old[:250]))
    memory = LedgerMemory(ledger)
    use = limit(ledger, 0.95)
    while memory.shed(use).events == 0:
        assert ledger.counts()[State.REPORTED] > 0
    assert ledger.counts()[State.REPORTED] < 50


def test_the_days_that_fit(ledger: Ledger) -> None:
    memory = LedgerMemory(ledger)
    assert memory.days_that_fit(memory.use()) is None
    for number in range(240):
        add(ledger, f"m-{number}", age=number * HOUR / 10, code=5_000)
    assert memory.days_that_fit(memory.use()) is None, "no limit"
    base = memory.use().used
    few = memory.days_that_fit(MemoryUse(base, 20_000_000))
    many = memory.days_that_fit(MemoryUse(base, 40_000_000))
    assert few
    assert many
    # 240 events of about 8 KB a day.
    assert 2 < few < 15
    assert many > 1.9 * few
