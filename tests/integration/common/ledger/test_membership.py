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


def age(client: redis.Redis, worker: str, seconds: float) -> None:
    """Make the last heartbeat of a process older."""
    assert client.zincrby("dwgate:{ext-1}:heartbeats", -seconds, worker)


def roster(client: redis.Redis, extension: str = "ext-1") -> FleetMembership:
    return FleetMembership(client, f"dwgate:{{{extension}}}:")


def test_processes_with_a_heartbeat_are_up(client: redis.Redis) -> None:
    roster(client).heartbeat("io@a")
    roster(client).heartbeat("cpu@b")
    roster(client).heartbeat("io@a")

    assert sorted(roster(client).workers()) == ["cpu@b", "io@a"]


def test_a_process_without_a_heartbeat_is_down_after_the_ttl(client: redis.Redis) -> None:
    roster(client).heartbeat("gone@a")
    age(client, "gone@a", HEARTBEAT_TTL_SECONDS - 5)
    assert roster(client).workers() == ["gone@a"]

    age(client, "gone@a", 6)
    assert roster(client).workers() == []


def test_a_heartbeat_removes_those_that_are_down(client: redis.Redis) -> None:
    roster(client).heartbeat("gone@a", 60)
    age(client, "gone@a", HEARTBEAT_TTL_SECONDS + 1)
    roster(client).heartbeat("up@b", -0.25)

    assert client.zrange("dwgate:{ext-1}:heartbeats", 0, -1) == [b"up@b"]
    assert roster(client).skews() == {"up@b": -0.25}


def test_the_machines_clock_is_not_used(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    roster(client).heartbeat("right@a")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600)
    roster(client).heartbeat("wrong@b", 3600)
    assert sorted(roster(client).workers()) == ["right@a", "wrong@b"]


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
