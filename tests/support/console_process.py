"""A real console process for tests, and browsers of it without a screen."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.support.emulator_process import EXTENSION_CODE
from tests.support.measured import MEASURED

DWGATE = Path(sys.executable).with_name("dwgate")
ROOT = Path(__file__).parents[2]
START_SECONDS = 60

_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


def console_environment(redis_url: str) -> dict[str, str]:
    """Return the settings of a console whose DataWorks is unreachable."""
    return {
        **MEASURED,
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "DWGATE_BROKER_URL": redis_url,
        "DWGATE_REDIS_URL": redis_url,
        "DWGATE_EXTENSION_CODE": EXTENSION_CODE,
        "DWGATE_REGION": "cn-shanghai",
        "DWGATE_OPENAPI_ENDPOINT": "127.0.0.1:1",
        "DWGATE_OPENAPI_PROTOCOL": "http",
        # The SDK must not search for credentials elsewhere.
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "local",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "made-up",
    }


class ConsoleProcess:
    """A console that listens on a free port of loopback.

    Args:
        folder: of its log.
        environment: its settings.
        port: to listen on; 0 for a free one.
        program: the command `dwgate`.
    """

    def __init__(
        self, folder: Path, environment: dict[str, str], port: int = 0, program: Path = DWGATE
    ) -> None:
        self._log = folder / "console.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [program, "console", "--port", str(port)],
                env=environment,
                cwd=folder,
                stdout=log,
                stderr=log,
            )
        self.url = self._wait()

    def _wait(self) -> str:
        limit = time.monotonic() + START_SECONDS
        while time.monotonic() < limit and self.process.poll() is None:
            for line in self._log.read_text().splitlines():
                if line.startswith("{") and json.loads(line)["event"] == "server_started":
                    return str(json.loads(line)["url"])
            time.sleep(0.05)
        raise AssertionError(f"the console did not start: {self._log.read_text()}")

    def browser(self, **options: object) -> httpx.Client:
        """Return a client that keeps cookies, and follows no redirection."""
        return httpx.Client(base_url=self.url, trust_env=False, timeout=70, **options)  # type: ignore[arg-type]

    def close(self) -> None:
        """Stop it; it must exit with 0."""
        self.process.terminate()
        assert self.process.wait(30) == 0


def form_token(page: str) -> str:
    """Return the token of the forms of a page."""
    found = _TOKEN.search(page)
    assert found, page
    return found[1]
