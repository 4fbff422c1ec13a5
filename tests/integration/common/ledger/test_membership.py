"""Membership on a real Valkey: which worker processes are up, and which one leads a role."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis

from common.ledger import connect
from common.ledger.membership import HEARTBEAT_TTL_SECONDS, FleetMembership


@pytest.fixture
def client(clean_redis_url: str) -> Iterator[redis.Redis]:
    client = connect(clean_redis_url)
    yield client
    client.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock for heartbeats; a test moves it forward."""
    now = [time.time()]
    monkeypatch.setattr("common.ledger.membership.time.time", lambda: now[0])
    return now


def roster(client: redis.Redis, extension: str = "ext-1") -> FleetMembership:
    return FleetMembership(client, f"dwgate:{{{extension}}}:")


def test_processes_with_a_heartbeat_are_up(client: redis.Redis) -> None:
    roster(client).heartbeat("io@a")
    roster(client).heartbeat("cpu@b")
    roster(client).heartbeat("io@a")

    assert sorted(roster(client).workers()) == ["cpu@b", "io@a"]


def test_a_process_without_a_heartbeat_is_down_after_the_ttl(client: redis.Redis, clock: list[float]) -> None:
    roster(client).heartbeat("gone@a")
    clock[0] += HEARTBEAT_TTL_SECONDS - 1
    assert roster(client).workers() == ["gone@a"]

    clock[0] += 2
    assert roster(client).workers() == []


def test_a_heartbeat_removes_those_that_are_down(client: redis.Redis, clock: list[float]) -> None:
    roster(client).heartbeat("gone@a")
    clock[0] += HEARTBEAT_TTL_SECONDS + 1
    roster(client).heartbeat("up@b")

    clock[0] -= HEARTBEAT_TTL_SECONDS
    assert roster(client).workers() == ["up@b"]


def test_extensions_do_not_see_each_other(client: redis.Redis) -> None:
    roster(client, "ext-1").heartbeat("a")
    assert roster(client, "ext-2").workers() == []
    assert roster(client, "ext-1").try_lead("reconciler", 60)
    assert roster(client, "ext-2").try_lead("reconciler", 60)


def test_one_process_leads_until_its_lead_expires(client: redis.Redis) -> None:
    assert roster(client).try_lead("reconciler", 0.1)
    assert not roster(client).try_lead("reconciler", 60)
    assert roster(client).try_lead("waivers", 60)

    deadline = time.monotonic() + 5
    while not roster(client).try_lead("reconciler", 60):
        assert time.monotonic() < deadline
    assert not roster(client).try_lead("reconciler", 60)
