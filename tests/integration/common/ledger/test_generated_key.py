"""A generated key on a real Valkey: generated once, and the same for every process."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from common.ledger import connect
from common.ledger.generated_key import GeneratedKey


@pytest.fixture
def client(clean_redis_url: str) -> Iterator[redis.Redis]:
    client = connect(clean_redis_url)
    yield client
    client.close()


def test_the_key_is_generated_once_and_never_expires(client: redis.Redis) -> None:
    store = GeneratedKey(client, "dwgate:{ext-1}:link-key")
    assert store.find() is None
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: GeneratedKey(client, "dwgate:{ext-1}:link-key").ensure(), range(32)))
    assert keys == {store.find()}
    assert len(store.ensure()) == 32
    assert client.ttl("dwgate:{ext-1}:link-key") == -1


def test_each_extension_has_its_own(client: redis.Redis) -> None:
    one, other = (GeneratedKey(client, f"dwgate:{{{name}}}:link-key").ensure() for name in ("a", "b"))
    assert one != other
