"""Tasks that the broker did not take, in a real Valkey."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from common.ledger import connect
from tests.support.running_dwgate import wait_for
from workers.broker import spool as spool_module
from workers.broker.spool import Spool, SpooledTask

QUEUE = "checks"
TASK = SpooledTask("m-1.1.code-review", "dwgate.check", (), {"message_id": "m-1", "until": 1.5}, "'m-1'")


@pytest.fixture
def spool(clean_redis_url: str) -> Iterator[Spool]:
    client = connect(clean_redis_url)
    yield Spool(client, "dwgate:{ext}:")
    client.close()


def take(spool: Spool, limit: int) -> list[SpooledTask]:
    return [task for _, task in spool.take([QUEUE], limit)]


def test_the_tasks_of_several_queues_are_taken_in_one_step(spool: Spool) -> None:
    for number in range(2):
        spool.add("first", SpooledTask(f"first-{number}", "dwgate.check"))
        spool.add("second", SpooledTask(f"second-{number}", "dwgate.check"))
    wait_for(lambda: spool.waiting("second") == 2)
    queues = ["empty", "second", "first"]
    taken = [*spool.take(queues, 1), *spool.take(queues, 1)]
    assert [queue for queue, _ in taken] == ["second", "first", "second", "first"]
    assert {task.id for _, task in taken} == {"first-0", "first-1", "second-0", "second-1"}
    assert spool.take(["second", "first"], 3) == []


def test_a_task_is_taken_as_it_was_added(spool: Spool) -> None:
    spool.add(QUEUE, TASK)
    assert spool.take(["other"], 5) == []
    [taken] = take(spool, 5)
    assert taken.to_entry() == TASK.to_entry()
    assert taken.kwargs == TASK.kwargs


def test_a_taken_task_is_leased_until_it_is_removed(spool: Spool) -> None:
    spool.add(QUEUE, TASK)
    [taken] = take(spool, 5)
    assert take(spool, 5) == []
    assert spool.waiting(QUEUE) == 1
    spool.add(QUEUE, TASK)
    assert take(spool, 5) == [], "added again, it keeps its lease"
    spool.remove(QUEUE, taken)
    assert spool.waiting(QUEUE) == 0


def test_a_task_whose_lease_has_expired_is_taken_again(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "LEASE_SECONDS", 0.0)
    spool.add(QUEUE, TASK)
    assert take(spool, 5)
    assert wait_for(lambda: take(spool, 5))


def test_a_returned_task_is_taken_again_at_once_and_known_as_redelivered(spool: Spool) -> None:
    spool.add(QUEUE, TASK)
    [taken] = take(spool, 5)
    spool.return_task(QUEUE, taken)
    [again] = take(spool, 5)
    assert (taken.was_delivered, again.was_delivered) == (False, True)
    spool.return_task(QUEUE, again)
    assert spool.waiting(QUEUE) == 1


def test_the_oldest_tasks_are_taken_first_up_to_the_limit(spool: Spool) -> None:
    later = SpooledTask("later", "dwgate.check")
    spool.add(QUEUE, later, delay=60)
    for number in range(3):
        spool.add(QUEUE, SpooledTask(f"m-{number}", "dwgate.check"), delay=number / 1000)
    [first] = wait_for(lambda: take(spool, 1))
    assert first.id == "m-0"
    rest = wait_for(lambda: take(spool, 9))
    assert later.id not in {task.id for task in rest}
