"""The order of the slow queue, in a real Valkey."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis

from common.ledger import connect
from workers.scheduling.slow_queue import SlowChecks, SlowQueue

BUSY, OTHER = "101", "102"


@pytest.fixture
def client(clean_redis_url: str) -> Iterator[redis.Redis]:
    client = connect(clean_redis_url)
    yield client
    client.close()


@pytest.fixture
def subject(client: redis.Redis) -> SlowQueue:
    return SlowQueue(client, "dwgate:{T}:")


def checks(message_id: str, seconds: float = 60) -> SlowChecks:
    return SlowChecks(message_id, 1, ("code-review", "change-impact"), time.time() + seconds)


def test_an_entry_keeps_its_checks() -> None:
    one = SlowChecks("m", 2, ("a", "b"), 1764370000.123456)
    assert SlowChecks.from_entry(one.to_entry()) == one


def test_each_workspace_has_one_message_in_the_queue(subject: SlowQueue) -> None:
    first, second, third = checks("m-1"), checks("m-2"), checks("m-3")
    assert subject.enter(BUSY, first)
    assert not subject.enter(BUSY, second)
    assert not subject.enter(BUSY, third)
    assert subject.enter(OTHER, checks("m-4"))
    assert subject.waiting() == 4
    assert subject.leave(BUSY, first) == second
    assert subject.leave(BUSY, second) == third
    assert subject.leave(BUSY, third) is None


def test_the_earliest_deadline_of_a_workspace_is_next(subject: SlowQueue) -> None:
    first, late, soon = checks("m-1"), checks("m-2", 90), checks("m-3", 30)
    for each in (first, late, soon):
        subject.enter(BUSY, each)
    assert subject.leave(BUSY, first) == soon


def test_equal_deadlines_are_served_by_position(subject: SlowQueue) -> None:
    first, second, third = checks("m-1"), checks("m-3"), checks("m-2")
    second = replace(second, deadline=third.deadline)
    subject.enter(BUSY, first)
    subject.enter(BUSY, third, 2)
    subject.enter(BUSY, second, 1)
    assert subject.leave(BUSY, first) == second


def test_a_repeated_entry_is_published_again_but_not_twice_in_the_queue(subject: SlowQueue) -> None:
    first, second = checks("m-1"), checks("m-2")
    assert subject.enter(BUSY, first)
    assert subject.enter(BUSY, first)
    assert not subject.enter(BUSY, second)
    assert not subject.enter(BUSY, second)
    assert subject.waiting() == 2


def test_a_message_that_finishes_twice_starts_one_other(subject: SlowQueue) -> None:
    first, second, third = checks("m-1"), checks("m-2"), checks("m-3")
    for each in (first, second, third):
        subject.enter(BUSY, each)
    assert subject.leave(BUSY, first) == second
    assert subject.leave(BUSY, first) is None
    assert subject.leave(BUSY, second) == third


def test_what_is_past_its_deadline_is_dropped(subject: SlowQueue) -> None:
    first, late, last = checks("m-1"), checks("m-2", -5), checks("m-3")
    for each in (first, late, last):
        subject.enter(BUSY, each)
    assert subject.leave(BUSY, first) == last


def test_a_lost_message_is_found(subject: SlowQueue, client: redis.Redis) -> None:
    first = checks("m-1")
    subject.enter(BUSY, first)
    subject.enter(BUSY, checks("m-2", 90))
    assert subject.lost() == []
    client.delete(f"dwgate:{{T}}:slow:published:{BUSY}")  # it expires
    assert subject.lost() == [(BUSY, first)]
    assert subject.lost() == []


def test_nothing_remains_in_redis(subject: SlowQueue, client: redis.Redis) -> None:
    first, second = checks("m-1"), checks("m-2")
    subject.enter(BUSY, first)
    subject.enter(BUSY, second)
    subject.leave(BUSY, first)
    subject.leave(BUSY, second)
    assert list(client.scan_iter()) == []
