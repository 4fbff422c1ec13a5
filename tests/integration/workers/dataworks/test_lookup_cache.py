from __future__ import annotations

import socket
import time
import zlib
from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis

from common.ledger import connect
from workers.dataworks import lookup_cache
from workers.dataworks.lookup_cache import COMPRESS_ABOVE, MAX_COPY_SECONDS, LookupCache

ARGUMENTS: dict[str, str | int] = {"NodeId": 7, "ProjectEnv": "PROD"}
LONG = {"Nodes": [{"NodeName": "dwd_order_di", "NodeId": number} for number in range(100)]}


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    client = connect(redis_url)
    yield client
    client.close()


@pytest.fixture
def prefix() -> str:
    return f"dwgate:{{{uuid4().hex}}}:"


def keys(client: redis.Redis, prefix: str) -> list[bytes]:
    return list(client.scan_iter(match=f"{prefix}*"))


@pytest.mark.parametrize("value", [{}, {"Nodes": []}, LONG, {"名": "价格"}])
def test_a_value_is_cached(client: redis.Redis, prefix: str, value: object) -> None:
    cache = LookupCache(client, prefix)
    assert cache.get("GetNode", ARGUMENTS) is None
    cache.put("GetNode", ARGUMENTS, value)
    assert cache.get("GetNode", dict(reversed(ARGUMENTS.items()))) == value
    assert cache.get("GetNode", {**ARGUMENTS, "ProjectEnv": "DEV"}) is None
    assert cache.get("GetNodeChildren", ARGUMENTS) is None


def test_a_long_value_is_compressed(client: redis.Redis, prefix: str) -> None:
    LookupCache(client, prefix).put("GetNode", ARGUMENTS, LONG)
    (key,) = keys(client, prefix)
    entry = client.get(key)
    assert isinstance(entry, bytes)
    assert len(entry) < COMPRESS_ABOVE < len(zlib.decompress(entry[1:]))


def test_an_entry_expires(client: redis.Redis, prefix: str) -> None:
    cache = LookupCache(client, prefix, seconds=0.1)
    cache.put("GetNode", ARGUMENTS, {})
    deadline = time.monotonic() + 5
    while cache.get("GetNode", ARGUMENTS) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def reads(client: redis.Redis) -> int:
    return int(client.info("commandstats").get("cmdstat_get", {}).get("calls", 0))


def test_a_process_keeps_a_copy_that_the_caller_may_change(client: redis.Redis, prefix: str) -> None:
    LookupCache(client, prefix).put("GetNode", ARGUMENTS, LONG)
    cache, before = LookupCache(client, prefix), reads(client)
    for _ in range(3):
        value = cache.get("GetNode", ARGUMENTS)
        assert value == LONG
        value["Nodes"].clear()
    assert reads(client) == before + 1


def test_a_copy_is_replaced_by_what_the_process_caches(client: redis.Redis, prefix: str) -> None:
    cache = LookupCache(client, prefix)
    for value in ({"Owner": 1}, {"Owner": 2}):
        cache.put("GetNode", ARGUMENTS, value)
        assert cache.get("GetNode", ARGUMENTS) == value


def test_entry_and_copy_together_live_as_long_as_configured(client: redis.Redis, prefix: str) -> None:
    cache = LookupCache(client, prefix, seconds=60)
    cache.put("GetNode", ARGUMENTS, {})
    assert cache.shared_seconds == 60 - MAX_COPY_SECONDS
    assert 0 < client.pttl(keys(client, prefix)[0]) <= cache.shared_seconds * 1000


def test_an_entry_above_the_size_of_the_copies_is_read_again(
    client: redis.Redis, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup_cache, "COPIES_BYTES", 100)
    cache = LookupCache(client, prefix)
    cache.put("GetNode", ARGUMENTS, LONG)
    assert cache.get("GetNode", ARGUMENTS) == cache.get("GetNode", ARGUMENTS) == LONG


@pytest.mark.parametrize("entry", [b"znot zlib", b"j{not json", b"?", b"j"])
def test_a_broken_entry_is_a_miss(client: redis.Redis, prefix: str, entry: bytes) -> None:
    cache = LookupCache(client, prefix)
    cache.put("GetNode", ARGUMENTS, {})
    client.set(keys(client, prefix)[0].decode(), entry)
    assert cache.get("GetNode", ARGUMENTS) is None


def test_without_redis_everything_is_a_miss(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = connect(f"redis://:made-up@127.0.0.1:{unused.getsockname()[1]}/0")
        cache = LookupCache(client, "dwgate:{x}:")
        cache.put("GetNode", {"TableGuid": "odps.SECRET.t"}, {"x": "SECRET"})
        assert cache.get("GetNode", {"TableGuid": "odps.SECRET.t"}) is None
        client.close()
    shown = capsys.readouterr()
    assert "lookup_cache_failed" in shown.out + shown.err
    assert "SECRET" not in shown.out + shown.err
    assert "made-up" not in shown.out + shown.err
