from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.engines import Valkey
from tests.support.eventbridge_signing import ACCOUNT, TARGET, TOKEN, certificate_pem, envelope, sign

CODE = """
from common.settings import load_settings
from ingest.server import run
from ingest.settings import IngestSettings
run(load_settings(IngestSettings), "127.0.0.1", 0)
"""


class Ingest:
    """A real ingest process."""

    def __init__(self, tmp_path: Path, broker_url: str, redis_url: str) -> None:
        pem = tmp_path / "eventbridge.pem"
        pem.write_bytes(certificate_pem())
        self._log = tmp_path / "ingest.log"
        environment = {
            "DWGATE_BROKER_URL": broker_url,
            "DWGATE_REDIS_URL": redis_url,
            "DWGATE_EXTENSION_CODE": "made-up",
            "DWGATE_REGION": "cn-shanghai",
            "DWGATE_EVENTBRIDGE_TARGET_URLS": TARGET,
            "DWGATE_EVENTBRIDGE_TOKENS": TOKEN,
            "DWGATE_EVENTBRIDGE_ACCOUNTS": ACCOUNT,
            "DWGATE_EVENTBRIDGE_CERTIFICATE_FILE": str(pem),
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", CODE],
                env={**os.environ, **environment},
                cwd=tmp_path,
                stdout=log,
                stderr=log,
            )

    def lines(self) -> list[dict[str, Any]]:
        """Return its log; every line must be JSON."""
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def url(self) -> str:
        """Wait until it listens; return its URL."""
        found: list[str] = []

        def listening() -> bool:
            found.extend(line["url"] for line in self.lines() if line["event"] == "server_started")
            return bool(found)

        until(listening)
        return found[0]

    def post(self, body: bytes) -> httpx.Response:
        headers = sign(body, at=time.time())
        return httpx.post(self.url() + "/events", content=body, headers=headers, timeout=5, trust_env=False)


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.05)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str, str], Ingest]]:
    processes: list[Ingest] = []

    def start_ingest(broker_url: str, redis_url: str) -> Ingest:
        processes.append(Ingest(tmp_path, broker_url, redis_url))
        return processes[-1]

    yield start_ingest
    for ingest in processes:
        ingest.process.kill()
        ingest.process.wait()


def test_a_real_process_receives_events_and_exits_on_sigterm(
    start: Callable[[str, str], Ingest], broker_url: str, clean_redis_url: str
) -> None:
    ingest = start(broker_url, clean_redis_url)
    until(lambda: httpx.get(ingest.url() + "/readyz", trust_env=False).status_code == 200)
    response = ingest.post(envelope())
    assert (response.status_code, response.json()["status"]) == (200, "queued")
    assert "server" not in response.headers
    assert ingest.post(b"not json").json()["status"] == "rejected"
    ingest.process.send_signal(signal.SIGTERM)
    ingest.process.wait(timeout=15)
    logged = ingest.lines()
    assert {line["component"] for line in logged} == {"ingest"}
    assert TOKEN not in str(logged)
    assert "dwd_order_di" not in str(logged)


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
