from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.engines import Valkey
from tests.support.eventbridge_signing import TOKEN, envelope
from tests.support.ingest_process import Ingest, until


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str, str], Ingest]]:
    processes: list[Ingest] = []

    def start_ingest(broker_url: str, redis_url: str) -> Ingest:
        processes.append(Ingest(tmp_path, broker_url, redis_url))
        return processes[-1]

    yield start_ingest
    for ingest in processes:
        ingest.kill()


def test_a_real_process_receives_events_and_exits_on_sigterm(
    start: Callable[[str, str], Ingest], broker_url: str, clean_redis_url: str
) -> None:
    ingest = start(broker_url, clean_redis_url)
    ingest.wait_until_ready()
    response = ingest.post(envelope())
    assert (response.status_code, response.json()["status"]) == (200, "queued")
    assert "server" not in response.headers
    assert ingest.post(b"not json").json()["status"] == "rejected"
    ingest.process.send_signal(signal.SIGTERM)
    assert ingest.process.wait(timeout=15) == 0
    logged = ingest.lines()
    assert {line["component"] for line in logged} == {"ingest"}
    assert TOKEN not in str(logged)
    assert "dwd_order_di" not in str(logged)


def test_an_endless_head_costs_neither_memory_nor_time(
    start: Callable[[str, str], Ingest], clean_redis_url: str
) -> None:
    ingest = start(clean_redis_url, clean_redis_url)
    ingest.wait_until_ready()
    before = psutil.Process(ingest.process.pid).memory_info().rss
    address = httpx.URL(ingest.url())
    for piece in (b"a:\r\n" * 16_000, b"a" * 65_536):
        with socket.create_connection((address.host, address.port or 0), timeout=30) as connection:
            connection.sendall(b"POST /events HTTP/1.1\r\nhost: x\r\nx-a: 1\r\nx-b: ")
            with suppress(ConnectionError):
                for _ in range(1024):  # 64 MB
                    connection.sendall(piece)
    assert psutil.Process(ingest.process.pid).memory_info().rss - before < 32 << 20
    text = httpx.get(ingest.url() + "/metrics", trust_env=False).text
    assert 'dwgate_ingest_limited_total{limit="head-too-large"} 2.0' in text
    assert ingest.post(envelope()).status_code == 200
    assert [line["event"] for line in ingest.lines()] == ["server_started"]


@pytest.mark.faults
def test_engines_can_fail_and_return_without_a_restart(
    start: Callable[[str, str], Ingest], valkey: Valkey, clean_redis_url: str
) -> None:
    ingest = start(clean_redis_url, clean_redis_url)
    assert ingest.post(envelope(id="a-1")).status_code == 200
    for fail, recover in ((valkey.kill, valkey.start), (valkey.stop_process, valkey.resume)):
        fail()
        for body in (envelope(id=f"during-{fail.__name__}"), b"not json"):
            started_at = time.monotonic()
            response = ingest.post(body)
            assert response.status_code == 503
            assert int(response.headers["retry-after"]) > 0
            assert time.monotonic() - started_at < 2.5
        recover()
        until(lambda: ingest.post(envelope(id="a-2")).status_code == 200)
        until(lambda: ingest.post(b"not json").status_code == 200)
