"""Budgets of workspaces, in a real Valkey."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from common.ledger import connect
from workers.scheduling import budgets
from workers.scheduling.budgets import (
    BUDGET_PERIOD,
    BUDGET_SECONDS,
    MIN_CHARGE_SECONDS,
    PENALTY_SECONDS,
    Budgets,
    SlowReason,
)

BUSY, OTHER, CODE = "101", "102", "0" * 64


@pytest.fixture
def client(clean_redis_url: str) -> Iterator[redis.Redis]:
    client = connect(clean_redis_url)
    yield client
    client.close()


@pytest.fixture
def subject(client: redis.Redis) -> Budgets:
    return Budgets(client, "dwgate:{T}:")


def after(client: redis.Redis, seconds: float) -> None:
    """Let `seconds` pass for the budget of BUSY."""
    key = f"dwgate:{{T}}:cpu:budget:{BUSY}"
    client.pexpire(key, client.pttl(key) - int(seconds * 1000))


def test_a_workspace_without_use_is_fast(subject: Budgets) -> None:
    assert subject.slow_reason(BUSY, None) is None
    assert subject.slow_reason(BUSY, CODE) is None


def test_a_used_up_budget_concerns_its_workspace_only(subject: Budgets) -> None:
    for _ in range(10):
        subject.charge(BUSY, BUDGET_SECONDS / 10 - 0.1)
    assert subject.slow_reason(BUSY, None) is None
    subject.charge(BUSY, 1.1)
    assert subject.slow_reason(BUSY, CODE) is SlowReason.BUDGET
    assert subject.slow_reason(OTHER, CODE) is None


def test_small_uses_are_charged_together_and_none_is_lost(subject: Budgets, client: redis.Redis) -> None:
    small = MIN_CHARGE_SECONDS * 0.4
    subject.charge(BUSY, small)
    subject.charge(OTHER, small)
    subject.charge(BUSY, small)
    assert not [*client.scan_iter(match="dwgate:{T}:*")]
    subject.charge(BUSY, small)
    [key] = client.scan_iter(match="dwgate:{T}:*")
    assert client.pttl(key) == pytest.approx(3 * small * BUDGET_PERIOD / BUDGET_SECONDS * 1000, abs=60)
    for _ in range(round(BUDGET_SECONDS / small)):
        subject.charge(BUSY, small)
    assert subject.slow_reason(BUSY, None) is SlowReason.BUDGET
    assert subject.slow_reason(OTHER, None) is None


def test_a_budget_refills(subject: Budgets, client: redis.Redis) -> None:
    subject.charge(BUSY, BUDGET_SECONDS + 1)
    assert subject.slow_reason(BUSY, None) is SlowReason.BUDGET
    after(client, 2 * BUDGET_PERIOD / BUDGET_SECONDS)
    assert subject.slow_reason(BUSY, None) is None


def test_a_debt_is_limited(subject: Budgets, client: redis.Redis) -> None:
    subject.charge(BUSY, 100 * BUDGET_SECONDS)
    after(client, PENALTY_SECONDS + 0.1)
    assert subject.slow_reason(BUSY, None) is None


def test_an_input_that_used_up_its_allowance_is_slow_in_every_workspace(
    subject: Budgets, client: redis.Redis
) -> None:
    subject.penalize(BUSY, CODE)
    assert subject.slow_reason(OTHER, CODE) is SlowReason.INPUT
    assert subject.slow_reason(OTHER, "1" * 64) is None
    assert subject.slow_reason(BUSY, "1" * 64) is SlowReason.BUDGET
    after(client, PENALTY_SECONDS + 0.1)
    assert subject.slow_reason(BUSY, "1" * 64) is None
    assert subject.slow_reason(BUSY, CODE) is SlowReason.INPUT


def test_a_penalty_without_code_concerns_no_other_input(subject: Budgets) -> None:
    subject.penalize(BUSY, None)
    assert subject.slow_reason(OTHER, None) is None


def test_every_key_expires(subject: Budgets, client: redis.Redis) -> None:
    subject.charge(BUSY, 1)
    subject.penalize(OTHER, CODE)
    lifetimes = [client.pttl(key) for key in client.scan_iter(match="dwgate:{T}:*")]
    assert len(lifetimes) == 3
    assert all(0 < lifetime <= budgets.SLOW_INPUT_SECONDS * 1000 for lifetime in lifetimes)
