"""A real ingest process for tests, with signed requests to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.support.emulator_process import EXTENSION_CODE
from tests.support.eventbridge_signing import ACCOUNT, TARGET, TOKEN, certificate_pem, sign

CODE = """
from common.settings import load_settings
from ingest.server import run
from ingest.settings import IngestSettings
run(load_settings(IngestSettings), "127.0.0.1", 0)
"""


class Ingest:
    """A real ingest process.

    Args:
        directory: of its log and certificate.
        broker_url: its broker.
        redis_url: its ledger.
    """

    def __init__(self, directory: Path, broker_url: str, redis_url: str) -> None:
        pem = directory / "eventbridge.pem"
        pem.write_bytes(certificate_pem())
        self._log = directory / "ingest.log"
        environment = {
            "DWGATE_BROKER_URL": broker_url,
            "DWGATE_REDIS_URL": redis_url,
            "DWGATE_EXTENSION_CODE": EXTENSION_CODE,
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
                cwd=directory,
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

    def wait_until_ready(self) -> None:
        """Wait until it is connected to its engines."""
        until(lambda: httpx.get(self.url() + "/readyz", trust_env=False).status_code == 200)

    def post(self, body: bytes) -> httpx.Response:
        """Sign and post a body."""
        headers = sign(body, at=time.time())
        return httpx.post(self.url() + "/events", content=body, headers=headers, timeout=5, trust_env=False)

    def kill(self) -> None:
        """Kill the process and wait for its end."""
        self.process.kill()
        self.process.wait()


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Poll `condition` until it is true; AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.05)
