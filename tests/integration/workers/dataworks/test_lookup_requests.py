"""Lookups of a process without credentials, served by threads of others through a real Valkey."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, cast

import pytest
import redis

from common.ledger import connect
from tests.support.emulator_process import use_credentials
from tests.support.raw_openapi_server import Call, RawOpenApiServer, page, refusal
from tests.support.running_dwgate import wait_for
from workers.dataworks.client import response_cache
from workers.dataworks.errors import AccessDenied, RequestRejected, Throttled, Unreachable
from workers.dataworks.lookup_requests.catalog import Lookup, Parameters
from workers.dataworks.lookup_requests.messages import RequestKeys
from workers.dataworks.lookup_requests.requester import LEASE_CHECK_SECONDS, LookupRequester
from workers.dataworks.lookup_requests.server import MAX_CALLS, RENEW_SECONDS, LookupServer
from workers.dataworks.lookups import BoundLookups
from workers.dataworks.operations import Operation
from workers.services import connect_dataworks
from workers.settings import WorkerSettings

CODE = "ext"
PREFIX = f"dwgate:{{{CODE}}}:"
KEYS = RequestKeys(PREFIX)
RESPONSE = {"Data": {"Nodes": [{"NodeId": 8}]}}


@pytest.fixture
def client(clean_redis_url: str) -> Iterator[redis.Redis]:
    client = connect(clean_redis_url)
    yield client
    client.close()


@pytest.fixture
def far_side(monkeypatch: pytest.MonkeyPatch) -> Iterator[RawOpenApiServer]:
    use_credentials(monkeypatch)
    raw_server = RawOpenApiServer(lambda _: page(200, {"Success": True, **RESPONSE}))
    yield raw_server
    raw_server.close()


def lookups(client: redis.Redis, seconds: float = 20) -> BoundLookups:
    """Return the lookups of an event in a process without credentials."""
    requester = LookupRequester(client, PREFIX, response_cache(client, CODE, 60))
    return BoundLookups(requester, time.time() + seconds)


def lookup_server(client: redis.Redis, far_side: RawOpenApiServer, **settings: Any) -> LookupServer:
    values = {
        "broker_url": "redis://127.0.0.1/0",
        "redis_url": "redis://127.0.0.1/0",
        "extension_code": CODE,
        "region": "cn-shanghai",
        "openapi_endpoint": far_side.endpoint,
        "openapi_protocol": "http",
    }
    dataworks = connect_dataworks(WorkerSettings.model_validate(values | settings), client)
    dataworks.warm_up()
    return LookupServer(client, PREFIX, dataworks.cached_client)


@contextmanager
def serving(*servers: LookupServer) -> Iterator[None]:
    """Serve requests, one thread per server, and renew their leases."""
    stop = threading.Event()

    def serve(each: LookupServer) -> None:
        while not stop.is_set():
            each.serve_next()

    def renew(each: LookupServer) -> None:
        while not stop.wait(RENEW_SECONDS):
            each.renew_leases()

    with ThreadPoolExecutor(2 * len(servers)) as pool:
        running = [pool.submit(work, each) for each in servers for work in (serve, renew)]
        try:
            yield
        finally:
            stop.set()
    for each in running:
        each.result()


def names(client: redis.Redis) -> set[str]:
    return {key.decode().removeprefix(PREFIX).split(":")[0] for key in client.scan_iter()}


def test_a_lookup_is_made_by_the_server_once(client: redis.Redis, far_side: RawOpenApiServer) -> None:
    with serving(lookup_server(client, far_side)):
        assert [node.id for node in lookups(client).node_children(7)] == [8]
    assert [node.id for node in lookups(client).node_children(7)] == [8], "from the cache, without a server"
    assert [call.action for call in far_side.calls] == ["GetNodeChildren"]
    assert "lookup-replies" not in names(client)


def test_the_requester_uses_neither_quota_nor_network(client: redis.Redis) -> None:
    with pytest.raises(Unreachable, match="NoReply: no worker with the role checks-io"):
        lookups(client, 0.3).node_children(7)
    assert not names(client), "the request is withdrawn, and there is no call in the quota's keys"


def test_the_earliest_deadline_is_served_first(client: redis.Redis, far_side: RawOpenApiServer) -> None:
    with ThreadPoolExecutor(2) as pool:
        late = pool.submit(lookups(client, 60).node_children, 60)
        wait_for(lambda: client.zcard(KEYS.requests) == 1)
        soon = pool.submit(lookups(client, 30).node_children, 30)
        wait_for(lambda: client.zcard(KEYS.requests) == 2)
        server = lookup_server(client, far_side)
        for waiting in (soon, late):
            server.serve_next()
            waiting.result(10)
    assert [call.arguments["NodeId"] for call in far_side.calls] == ["30", "60"]


def test_many_requests_for_the_same_make_one_call(client: redis.Redis, far_side: RawOpenApiServer) -> None:
    servers = [lookup_server(client, far_side) for _ in range(8)]
    with serving(*servers), ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: lookups(client).node_children(7)[0].id, range(8)))
    assert found == [8] * 8
    assert len(far_side.calls) == 1


@pytest.mark.parametrize(
    ("reply", "kind", "text"),
    [
        (refusal(403, "Forbidden.Access"), AccessDenied, "Forbidden.Access: check the access key"),
        (refusal(404, "Invalid.Node"), RequestRejected, "GetNodeChildren: Invalid.Node"),
        (refusal(429, "Throttling.User"), Throttled, r"Throttling.User \(request R-1\)"),
        (page(200, {"Success": True, "Data": {"Nodes": [{}]}}), Unreachable, "NodeId is missing"),
    ],
)
def test_an_error_reaches_the_check_as_it_is(
    client: redis.Redis, far_side: RawOpenApiServer, reply: bytes, kind: type[Exception], text: str
) -> None:
    far_side.answer = lambda _: reply
    with serving(lookup_server(client, far_side)), pytest.raises(kind, match=text) as caught:
        lookups(client).node_children(7)
    assert type(caught.value) is kind


def test_a_server_takes_no_more_than_it_can_serve(client: redis.Redis, far_side: RawOpenApiServer) -> None:
    released = threading.Event()

    def answer(_: Call) -> bytes:
        released.wait(10)
        return page(200, {"Success": True, **RESPONSE})

    far_side.answer = answer
    server = lookup_server(client, far_side, openapi_read_qps=1000)
    with ThreadPoolExecutor(MAX_CALLS + 2) as pool:
        found = [pool.submit(lookups(client).node_children, number) for number in range(MAX_CALLS + 2)]
        wait_for(lambda: client.zcard(KEYS.requests) == MAX_CALLS + 2)
        with serving(server):
            wait_for(lambda: len(far_side.calls) == MAX_CALLS)
            assert client.zcard(KEYS.requests) == 2, "another process may take them"
            released.set()
            assert [each.result(10)[0].id for each in found] == [8] * (MAX_CALLS + 2)


def test_a_rejection_is_cached(client: redis.Redis, far_side: RawOpenApiServer) -> None:
    far_side.answer = lambda _: refusal(404, "Invalid.Table.NotExists")
    with serving(lookup_server(client, far_side)):
        for _ in range(2):
            with pytest.raises(RequestRejected, match=r"Invalid\.Table\.NotExists"):
                lookups(client).table_info("odps.p.none")
    assert len(far_side.calls) == 1


def test_a_request_whose_server_died_is_served_by_another(
    client: redis.Redis, far_side: RawOpenApiServer
) -> None:
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(lookups(client).node_children, 7)
        wait_for(lambda: client.zpopmin(KEYS.requests))  # taken, and never replied to
        with serving(lookup_server(client, far_side)):
            assert [node.id for node in found.result(10 + LEASE_CHECK_SECONDS)] == [8]


def test_a_slow_call_is_not_made_twice(client: redis.Redis, far_side: RawOpenApiServer) -> None:
    released = threading.Event()

    def answer(_: Call) -> bytes:
        released.wait(10)
        return page(200, {"Success": True, **RESPONSE})

    far_side.answer = answer
    servers = [lookup_server(client, far_side) for _ in range(2)]
    with serving(*servers), ThreadPoolExecutor(1) as pool:
        found = pool.submit(lookups(client).node_children, 7)
        started = time.monotonic()
        # Until the requester has looked at the lease at least once, and sent nothing again.
        wait_for(
            lambda: client.zcard(KEYS.requests) or time.monotonic() > started + 1.5 * LEASE_CHECK_SECONDS
        )
        assert client.zcard(KEYS.requests) == 0
        released.set()
        assert [node.id for node in found.result(10)] == [8]
    assert len(far_side.calls) == 1


def test_an_expired_request_is_not_served(client: redis.Redis, far_side: RawOpenApiServer) -> None:
    with pytest.raises(Unreachable):
        lookups(client, 0.05).node_children(7)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lookups(client, 0.2).node_children, 7)
        content = cast("bytes", wait_for(lambda: client.zrange(KEYS.requests, 0, -1))[0])
        with pytest.raises(Unreachable):
            waiting.result(10)
    client.zadd(KEYS.requests, {content: 1})  # its requester was killed before it could withdraw it
    with serving(lookup_server(client, far_side)):
        wait_for(lambda: not client.zcard(KEYS.requests))
    assert not far_side.calls


def test_garbage_in_the_queue_harms_no_other_request(
    client: redis.Redis, far_side: RawOpenApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, garbage in enumerate((b"\xff", b"SECRET", b'{"id": "SECRET"}', b"[" * 10_000)):
        client.zadd(KEYS.requests, {garbage: number})
    with serving(lookup_server(client, far_side)):
        assert [node.id for node in lookups(client).node_children(7)] == [8]
    shown = capsys.readouterr()
    assert (shown.out + shown.err).count("lookup_request_invalid") == 4
    assert "SECRET" not in shown.out + shown.err


@pytest.mark.parametrize("action", ["DeleteFile", "UpdateIDEEventResult", "GetIDEEventDetail"])
def test_no_other_operation_can_be_requested(
    client: redis.Redis, far_side: RawOpenApiServer, action: str
) -> None:
    requester = LookupRequester(client, PREFIX, response_cache(client, CODE, 60))
    operation = Operation(action, "")
    with serving(lookup_server(client, far_side)), pytest.raises(Unreachable, match="UnknownLookup"):
        requester._request(Lookup(operation, len, Parameters), {"FileId": 7}, time.time() + 20)
    assert not far_side.calls


def test_the_error_of_a_server_out_of_time_arrives_before_the_requester_gives_up(
    client: redis.Redis, far_side: RawOpenApiServer
) -> None:
    busy = lookup_server(client, far_side, openapi_read_qps=1)
    with serving(busy):
        lookups(client).node_children(1)
        with pytest.raises(Throttled, match="no slot in time"):
            lookups(client, 0.6).node_children(2)


def test_without_redis_a_lookup_is_a_transient_fault() -> None:
    client = connect("redis://127.0.0.1:1/0")
    with pytest.raises(Unreachable, match="RedisUnavailable: ConnectionError"):
        lookups(client).node_children(7)
    client.close()
