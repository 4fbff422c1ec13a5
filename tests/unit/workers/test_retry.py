"""When a fault is tried again."""

from __future__ import annotations

import random

import pytest

from workers import task_base
from workers.retry import MAX_ATTEMPTS, RetryDecision, retry_decision


@pytest.mark.parametrize(("attempts", "least"), [(1, 1), (2, 2), (3, 4), (4, 8)])
def test_each_wait_is_twice_the_last_and_a_little_more(attempts: int, least: float) -> None:
    decision = retry_decision(attempts, now=0, deadline=100)
    assert decision.retry
    assert least <= decision.seconds <= least * 1.25


def test_a_wait_has_a_maximum() -> None:
    assert retry_decision(20, now=0, deadline=100, max_attempts=100, cap=8).seconds <= 10


@pytest.mark.parametrize(("attempts", "deadline"), [(MAX_ATTEMPTS, 100), (1, 1), (1, 0)])
def test_nothing_is_tried_too_often_or_too_late(attempts: int, deadline: float) -> None:
    assert not retry_decision(attempts, now=0, deadline=deadline).retry


def test_a_retry_must_begin_before_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda least, _: least)
    assert not retry_decision(1, now=100, deadline=101).retry
    assert retry_decision(1, now=100, deadline=101.25) == RetryDecision(retry=True, seconds=1)


def test_an_event_is_worth_a_retry_for_a_day_and_a_check_until_its_deadline() -> None:
    assert task_base.retry_deadline([{"received_at": 100.0}], {}) == 100.0 + 86400
    assert task_base.retry_deadline([], {"until": 7}) == 7
    assert task_base.retry_deadline([], {}) == 0


def test_an_error_is_located_by_the_innermost_frame() -> None:
    assert task_base.error_location(ValueError("never raised")) == "unknown"
    with pytest.raises(ZeroDivisionError) as raised:
        _ = 1 / 0
    assert task_base.error_location(raised.value).startswith(f"{__file__}:")
