"""Single flight on a real Valkey, with threads as workers."""

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
from workers.dataworks.limits.bulkheads import Bulkheads
from workers.dataworks.lookup_cache import LookupCache
from workers.dataworks.lookups import BoundLookups
from workers.dataworks.rate_limiter import RateLimiter
from workers.dataworks.single_flight import LEASE_SECONDS, SingleFlight
from workers.dataworks.transport import Transport

WORKERS = 20
ARGUMENTS: dict[str, str | int] = {"NodeId": 7, "ProjectEnv": "PROD"}
RESPONSE = {"Data": {"Nodes": [{"NodeId": 8}]}}


@pytest.fixture
def client(clean_redis_url: str) -> Iterator[redis.Redis]:
    client = connect(clean_redis_url)
    yield client
    client.close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RawOpenApiServer]:
    use_credentials(monkeypatch)
    raw_server = RawOpenApiServer(lambda _: page(200, {"Success": True, **RESPONSE}))
    yield raw_server
    raw_server.close()


def flight(client: redis.Redis, seconds: float = 60) -> SingleFlight:
    return SingleFlight(client, LookupCache(client, "dwgate:{x}:", seconds))


def lookups(client: redis.Redis, server: RawOpenApiServer, seconds: float = 20) -> BoundLookups:
    """Return the lookups of another worker."""
    transport = Transport(endpoint=server.endpoint, protocol="http", region="cn-shanghai")
    transport.warm_up()
    rate_limiter = RateLimiter(client, "dwgate:{x}:", read_qps=1000, write_qps=1000)
    return BoundLookups(
        CachedClient(RetryingClient(transport, rate_limiter, Bulkheads(16)), flight(client)),
        time.time() + seconds,
    )


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.002)


def misses(client: redis.Redis) -> int:
    return int(client.info("stats")["keyspace_misses"])


def commands(client: redis.Redis) -> int:
    stats = client.info("commandstats")
    return sum(int(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"]) for name in ("get", "set", "del"))


def test_twenty_workers_make_one_call(client: redis.Redis, server: RawOpenApiServer) -> None:
    before = misses(client)

    def answer(_: Call) -> bytes:
        # Respond only after every worker has missed the cache.
        wait_until(lambda: misses(client) >= before + WORKERS)
        return page(200, {"Success": True, **RESPONSE})

    server.answer = answer
    workers = [lookups(client, server) for _ in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        found = list(pool.map(lambda worker: worker.node_children(7), workers))
    assert [[node.id for node in nodes] for nodes in found] == [[8]] * WORKERS
    assert len(server.calls) == 1


def test_when_the_call_fails_another_worker_calls(client: redis.Redis, server: RawOpenApiServer) -> None:
    before = misses(client)
    waiting = threading.Event()

    def answer(_: Call) -> bytes:
        if waiting.is_set():
            return page(200, {"Success": True, **RESPONSE})
        wait_until(lambda: misses(client) >= before + WORKERS)
        waiting.set()
        return refusal(403, "Forbidden.Access")

    server.answer = answer
    workers = [lookups(client, server) for _ in range(WORKERS)]

    def fetch(worker: BoundLookups) -> int:
        try:
            return worker.node_children(7)[0].id
        except Exception as error:  # noqa: BLE001 - checked below
            assert "Forbidden" in str(error)  # noqa: PT017
            return 0

    with ThreadPoolExecutor(WORKERS) as pool:
        found = sorted(pool.map(fetch, workers))
    assert found == [0] + [8] * (WORKERS - 1)
    assert len(server.calls) == 2


def test_the_lease_of_a_dead_worker_is_taken_over(client: redis.Redis) -> None:
    flights = [flight(client, seconds=0.2), flight(client)]
    assert flights[0].get_or_lease("GetNode", ARGUMENTS, deadline=time.time() + 60) is None
    started = time.monotonic()
    assert flights[1].get_or_lease("GetNode", ARGUMENTS, deadline=time.time() + 60) is None
    assert time.monotonic() - started < LEASE_SECONDS / 2


def test_the_wait_is_at_most_half_of_the_remaining_time(client: redis.Redis) -> None:
    assert flight(client).get_or_lease("GetNode", ARGUMENTS, deadline=time.time() + 60) is None
    started = time.monotonic()
    assert flight(client).get_or_lease("GetNode", ARGUMENTS, deadline=time.time() + 0.4) is None
    assert 0.15 < time.monotonic() - started < 0.4


def test_a_waiting_worker_gets_the_response(client: redis.Redis) -> None:
    first, second = flight(client), flight(client)
    assert first.get_or_lease("GetNode", ARGUMENTS, deadline=time.time() + 60) is None
    before = misses(client)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(second.get_or_lease, "GetNode", ARGUMENTS, deadline=time.time() + 60)
        wait_until(lambda: misses(client) > before)
        first.publish("GetNode", ARGUMENTS, RESPONSE)
        assert waiting.result(10) == RESPONSE
    # After success the lease remains: a worker that missed just before the response does not call again.
    assert not second._try_lease("GetNode", ARGUMENTS)


def test_a_hit_costs_one_command_and_a_miss_three(client: redis.Redis) -> None:
    worker, before = flight(client), commands(client)
    assert worker.get_or_lease("GetNode", ARGUMENTS, deadline=time.time() + 60) is None
    worker.publish("GetNode", ARGUMENTS, RESPONSE)
    assert commands(client) - before == 3
    assert worker.get_or_lease("GetNode", ARGUMENTS, deadline=time.time() + 60) == RESPONSE
    assert commands(client) - before == 4


def test_without_redis_every_worker_calls() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = connect(f"redis://127.0.0.1:{unused.getsockname()[1]}/0")
        worker = flight(client)
        assert worker.get_or_lease("GetNode", ARGUMENTS, deadline=time.time() + 60) is None
        worker.release("GetNode", ARGUMENTS)
        client.close()


def test_a_rejection_is_cached_for_all_workers(client: redis.Redis, server: RawOpenApiServer) -> None:
    server.answer = lambda _: page(200, {"Success": False, "ErrorCode": "Invalid.Table.NotExists"})
    for _ in range(3):
        with pytest.raises(RequestRejected, match=r"GetMetaTableFullInfo: Invalid\.Table\.NotExists"):
            lookups(client, server).table_info("odps.p.none")
    assert len(server.calls) == 1


def test_a_broken_response_is_not_cached(client: redis.Redis, server: RawOpenApiServer) -> None:
    node_id = uuid4().int % 10**9
    server.answer = lambda _: page(200, {"Success": True, "Data": {"Nodes": [{}]}})
    for _ in range(2):
        with pytest.raises(Unreachable, match="NodeId is missing"):
            lookups(client, server).node_children(node_id)
    server.answer = lambda _: page(200, {"Success": True, **RESPONSE})
    assert [node.id for node in lookups(client, server).node_children(node_id)] == [8]
