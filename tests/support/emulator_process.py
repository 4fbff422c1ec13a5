"""The DataWorks emulator as a real process, for tests of every kind.

with running(write_qps=20) as emulator:
    emulator.start_process("m-1", "commit-file")
    ...
    verdict = emulator.wait_verdict("m-1", timeout=5)
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import httpx
import pytest
from alibabacloud_credentials.utils import auth_util

from tests.support import queues
from tests.support.emulator_forks import EmulatorForks
from tests.support.engines import free_port

KEY_ID = "LTAI-test"
KEY_SECRET = "test-secret"
EXTENSION_CODE = queues.EXTENSION_CODE
PROJECT_ID = 93124
OPERATOR = "1923456789012735"

_START_SECONDS = 20.0

_FORKS = EmulatorForks()


class Emulator:
    """A running emulator and its control API.

    Attributes:
        url: `http://127.0.0.1:PORT`.
        host_port: `127.0.0.1:PORT`, the form that the SDK's `Config(endpoint=…, protocol="HTTP")` expects.
        key_id, key_secret: the AccessKey that it accepts.
        extension_code: its extension.
    """

    key_id = KEY_ID
    key_secret = KEY_SECRET
    extension_code = EXTENSION_CODE

    def __init__(self, port: int) -> None:
        self.host_port = f"127.0.0.1:{port}"
        self.url = f"http://{self.host_port}"
        self._client = httpx.Client(base_url=f"{self.url}/_emulator", trust_env=False, timeout=60)

    def close(self) -> None:
        """Close the control connection."""
        self._client.close()

    def start_process(
        self,
        message_id: str,
        event_code: str,
        *,
        project_id: int | None = PROJECT_ID,
        operator: str | None = OPERATOR,
        snapshot: dict[str, Any] | None = None,
        extension: str | None = None,
        listed_after: float = 0,
    ) -> dict[str, Any]:
        """Start an operation that waits for a verdict; return its process.

        `ListCheckProcesses` lists it after `listed_after` seconds.
        """
        body = {
            "message_id": message_id,
            "event_code": event_code,
            "project_id": project_id,
            "operator": operator,
            "snapshot": snapshot,
            "extension": extension,
            "listed_after": listed_after,
        }
        return self._call("POST", "/processes", json=body)

    def status(self, message_id: str) -> str:
        """Return the status of the (first) process of a message id: CHECKING, PASSED or BLOCKED."""
        processes = self._call("GET", "/verdicts", params={"message_id": message_id})["processes"]
        return str(processes[0]["status"])

    def verdicts(self, message_id: str | None = None) -> list[dict[str, Any]]:
        """Return every posted result, for one message id or for all.

        Each has `action, message_id, extension_code, result, tip, at` (seconds since the epoch) and `status`:
        `first` (the verdict), `late`, `misplaced`, `refused`, `throttled` or `fault` (no effect).
        """
        params = {} if message_id is None else {"message_id": message_id}
        posts: list[dict[str, Any]] = self._call("GET", "/verdicts", params=params)["posts"]
        return posts

    def wait_verdict(self, message_id: str, timeout: float) -> dict[str, Any]:
        """Wait up to `timeout` seconds for the verdict of a message id and return it.

        Raises:
            TimeoutError: there is no verdict.
        """
        params: dict[str, str | float] = {"message_id": message_id, "timeout": timeout}
        response = self._client.get("/verdicts/wait", params=params, timeout=timeout + 10)
        if response.status_code == httpx.codes.REQUEST_TIMEOUT:
            raise TimeoutError(f"no verdict for {message_id} in {timeout} s")
        verdict: dict[str, Any] = response.raise_for_status().json()["verdict"]
        return verdict

    def fault(
        self,
        kind: str,
        *,
        action: str | None = None,
        message_id: str | None = None,
        times: int | None = 1,
        **fields: object,
    ) -> None:
        """Inject a fault, one of `emulator.dataworks.faults.FaultKind`; its fields are those of `Fault`.

        With `times=None` it applies until it is cleared.
        """
        body = {"kind": kind, "action": action, "message_id": message_id, "times": times, **fields}
        self._call("POST", "/faults", json=body)

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._call("DELETE", "/faults")

    def add_to_world(self, **world: object) -> None:
        """Add nodes, baselines, tables, files or the extension, as in a world file."""
        self._call("POST", "/world", json=world)

    def add_graph(self, **size: int) -> dict[str, Any]:
        """Add a generated world (fields of `graph_generator.Size`); returns its size."""
        return self._call("POST", "/graph", json=size)

    def set_profile(self, profile: str) -> None:
        """Switch to the profile `lenient` or `strict`."""
        self._call("POST", "/profile", json={"profile": profile})

    def state(self) -> dict[str, Any]:
        """Return the counts: `calls` by action, `refused` by code, `throttled`, `processes`, `posts`."""
        return self._call("GET", "/state")

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        response = self._client.request(method, path, **arguments)
        if response.is_error:
            raise ValueError(f"{method} {path}: {response.status_code} {response.text}")
        answer: dict[str, Any] = response.json()
        return answer


def use_credentials(environment: pytest.MonkeyPatch) -> None:
    """Make the SDK in this process use the emulator's key; it reads the environment only when imported."""
    environment.setattr(auth_util, "environment_access_key_id", KEY_ID)
    environment.setattr(auth_util, "environment_access_key_secret", KEY_SECRET)


@contextmanager
def running(port: int | None = None, **arguments: object) -> Iterator[Emulator]:
    """Run an emulator; `arguments` override those of `run` (profile, read_qps, write_qps, world)."""
    port = port or free_port()
    fixed = {
        "host": "127.0.0.1",
        "port": port,
        "access_key_id": KEY_ID,
        "access_key_secret": KEY_SECRET,
        "extension_code": EXTENSION_CODE,
    }
    emulator = Emulator(port)
    with tempfile.NamedTemporaryFile("w+") as log:
        pid = _FORKS.start({**fixed, **arguments}, Path(log.name))
        try:
            _wait_until_up(emulator, pid, log)
            yield emulator
        finally:
            emulator.close()
            _FORKS.stop(pid)


def _wait_until_up(emulator: Emulator, pid: int, log: IO[str]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if not _FORKS.is_running(pid):
            log.seek(0)
            raise RuntimeError(f"the emulator ended: {log.read()}")
        try:
            emulator.state()
        except httpx.TransportError:
            time.sleep(0.01)
        else:
            return
    raise TimeoutError("the emulator did not come up")
