"""One caller queries and the others wait, on a real Valkey with threads as workers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import redis

from common.ledger import connect
from tests.support.emulator_process import use_credentials
from tests.support.raw_openapi_server import Call, RawOpenApiServer, page, refusal
from workers.dataworks.cached_client import CachedClient
from workers.dataworks.errors import RequestRejected, Unreachable
from workers.dataworks.invoker import RetryingClient
from workers.dataworks.lookup_cache import LookupCache
from workers.dataworks.lookups import BoundLookups
from workers.dataworks.rate_limiter import RateLimiter
from workers.dataworks.single_flight import LEASE_SECONDS, SingleFlight
from workers.dataworks.transport import Transport

CALLERS = 20
ARGUMENTS: dict[str, str | int] = {"NodeId": 7, "ProjectEnv": "PROD"}
ANSWER = {"Data": {"Nodes": [{"NodeId": 8}]}}


@pytest.fixture
def client(clean_redis_url: str) -> Iterator[redis.Redis]:
    client = connect(clean_redis_url)
    yield client
    client.close()


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Iterator[RawOpenApiServer]:
    use_credentials(monkeypatch)
    side = RawOpenApiServer(lambda _: page(200, {"Success": True, **ANSWER}))
    yield side
    side.close()


def flight(client: redis.Redis, seconds: float = 60) -> SingleFlight:
    return SingleFlight(client, LookupCache(client, "dwgate:{x}:", seconds), seconds)


def lookups(client: redis.Redis, far: RawOpenApiServer, seconds: float = 20) -> BoundLookups:
    """Return the lookups of a new worker."""
    gateway = Transport(endpoint=far.endpoint, protocol="http", region="cn-shanghai")
    gateway.warm_up()
    quota = RateLimiter(client, "dwgate:{x}:", read_qps=1000, write_qps=1000)
    return BoundLookups(CachedClient(RetryingClient(gateway, quota), flight(client)), time.time() + seconds)


def wait_until(what: Callable[[], bool], seconds: float = 10) -> None:
    limit = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < limit
        time.sleep(0.002)


def misses(client: redis.Redis) -> int:
    return int(client.info("stats")["keyspace_misses"])


def commands(client: redis.Redis) -> int:
    stats = client.info("commandstats")
    return sum(int(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"]) for name in ("get", "set", "del"))


def test_twenty_callers_make_one_call(client: redis.Redis, far: RawOpenApiServer) -> None:
    before = misses(client)

    def answer(_: Call) -> bytes:
        # Answer only after all callers have missed the cache.
        wait_until(lambda: misses(client) >= before + CALLERS)
        return page(200, {"Success": True, **ANSWER})

    far.answer = answer
    workers = [lookups(client, far) for _ in range(CALLERS)]
    with ThreadPoolExecutor(CALLERS) as pool:
        found = list(pool.map(lambda worker: worker.node_children(7), workers))
    assert [[node.id for node in nodes] for nodes in found] == [[8]] * CALLERS
    assert len(far.calls) == 1


def test_after_a_failed_query_the_next_caller_queries(client: redis.Redis, far: RawOpenApiServer) -> None:
    before = misses(client)
    waiting = threading.Event()

    def answer(_: Call) -> bytes:
        if waiting.is_set():
            return page(200, {"Success": True, **ANSWER})
        wait_until(lambda: misses(client) >= before + CALLERS)
        waiting.set()
        return refusal(403, "Forbidden.Access")

    far.answer = answer
    workers = [lookups(client, far) for _ in range(CALLERS)]

    def ask(worker: BoundLookups) -> int:
        try:
            return worker.node_children(7)[0].id
        except Exception as error:  # noqa: BLE001 - any error of the lookup
            assert "Forbidden" in str(error)  # noqa: PT017
            return 0

    with ThreadPoolExecutor(CALLERS) as pool:
        found = sorted(pool.map(ask, workers))
    assert found == [0] + [8] * (CALLERS - 1)
    assert len(far.calls) == 2


def test_after_the_lease_of_a_dead_caller_the_next_one_queries(client: redis.Redis) -> None:
    flights = [flight(client, seconds=0.2), flight(client)]
    assert flights[0].get_or_lease("GetNode", ARGUMENTS, deadline=time.time() + 60) is None
    started = time.monotonic()
    assert flights[1].get_or_lease("GetNode", ARGUMENTS, deadline=time.time() + 60) is None
    assert time.monotonic() - started < LEASE_SECONDS / 2


def test_a_wait_ends_after_half_of_the_remaining_time(client: redis.Redis) -> None:
    assert flight(client).get_or_lease("GetNode", ARGUMENTS, deadline=time.time() + 60) is None
    started = time.monotonic()
    assert flight(client).get_or_lease("GetNode", ARGUMENTS, deadline=time.time() + 0.4) is None
    assert 0.15 < time.monotonic() - started < 0.4


def test_a_waiting_caller_gets_the_answer(client: redis.Redis) -> None:
    first, second = flight(client), flight(client)
    assert first.get_or_lease("GetNode", ARGUMENTS, deadline=time.time() + 60) is None
    before = misses(client)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(second.get_or_lease, "GetNode", ARGUMENTS, deadline=time.time() + 60)
        wait_until(lambda: misses(client) > before)
        first.publish("GetNode", ARGUMENTS, ANSWER)
        assert waiting.result(10) == ANSWER
    # After success the lease remains, so a caller that missed the cache just before does not query again.
    assert not second._try_lease("GetNode", ARGUMENTS)


def test_a_hit_costs_one_command_and_a_miss_three(client: redis.Redis) -> None:
    single, before = flight(client), commands(client)
    assert single.get_or_lease("GetNode", ARGUMENTS, deadline=time.time() + 60) is None
    single.publish("GetNode", ARGUMENTS, ANSWER)
    assert commands(client) - before == 3
    assert single.get_or_lease("GetNode", ARGUMENTS, deadline=time.time() + 60) == ANSWER
    assert commands(client) - before == 4


def test_without_redis_a_caller_queries_at_once() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = connect(f"redis://127.0.0.1:{unused.getsockname()[1]}/0")
        single = flight(client)
        assert single.get_or_lease("GetNode", ARGUMENTS, deadline=time.time() + 60) is None
        single.release("GetNode", ARGUMENTS)
        client.close()


def test_a_rejection_is_cached(client: redis.Redis, far: RawOpenApiServer) -> None:
    far.answer = lambda _: page(200, {"Success": False, "ErrorCode": "Invalid.Table.NotExists"})
    for _ in range(3):
        with pytest.raises(RequestRejected, match=r"GetMetaTableFullInfo: Invalid\.Table\.NotExists"):
            lookups(client, far).table_info("odps.p.none")
    assert len(far.calls) == 1


def test_an_invalid_answer_is_not_cached(client: redis.Redis, far: RawOpenApiServer) -> None:
    node_id = uuid4().int % 10**9
    far.answer = lambda _: page(200, {"Success": True, "Data": {"Nodes": [{}]}})
    for _ in range(2):
        with pytest.raises(Unreachable, match="NodeId is missing"):
            lookups(client, far).node_children(node_id)
    far.answer = lambda _: page(200, {"Success": True, **ANSWER})
    assert [node.id for node in lookups(client, far).node_children(node_id)] == [8]
