"""Runs dwgate (ingest and workers) as real processes against the emulator, on the engines of a test.

with fleet(broker_url, redis_url, tmp_path) as gate:
    message_id = gate.send("commit-file-bad")
    assert gate.verdict(message_id)["result"] == "FAIL"
"""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import httpx
import orjson

from common.ledger import EventRecord, Ledger, connect
from common.tls import SYSTEM_STORE, TlsFiles
from emulator.eventbridge import event_bodies
from emulator.eventbridge.sender import CERTIFICATE_FILE, Signer
from emulator.samples import Sample, load_samples
from tests.support.emulator_process import EXTENSION_CODE, KEY_ID, KEY_SECRET, PROJECT_ID, Emulator, running
from tests.support.engines import free_port
from tests.support.source_queue import CONNECTION_ERRORS, SourceQueue
from workers.process.roles import Role, groups_for

ROOT = Path(__file__).parents[2]
ACCOUNT = "1107550004250001"
TARGET = "https://dwgate.example.com/events"
TOKEN = "token-of-the-tests-0123456789"
START_SECONDS = 40.0
STOP_SECONDS = 40.0
FLOWER_USER = "watcher:made-up-too"

SAMPLES = {sample.name: sample for sample in load_samples()}

T = TypeVar("T")


def wait_for(what: Callable[[], T], seconds: float = 20.0, *, every: float = 0.05) -> T:
    """Poll `what` until it returns a true value, and return that; AssertionError after `seconds`."""
    limit = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < limit, f"not within {seconds} s"
        time.sleep(every)
    return value


@dataclass
class RunningDwgate:
    """A running dwgate.

    Attributes:
        emulator: the DataWorks emulator.
        ledger: dwgate's ledger.
        environment: the settings of its processes.
        directory: the directory of their logs.
        url: of ingest.
        metrics_port: of the worker that a test started with `--metrics-port`.
        source: the queue from which ingest takes events; None for events over HTTP.
    """

    emulator: Emulator
    ledger: Ledger
    environment: dict[str, str]
    directory: Path
    signer: Signer
    http: httpx.Client
    url: str = ""
    metrics_port: int = 0
    source: SourceQueue | None = None
    ingest: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    flower: subprocess.Popen[bytes] | None = None
    console: subprocess.Popen[bytes] | None = None

    def start_ingest(self, *, ready: bool = True) -> None:
        """Start ingest; with `ready` wait until it is connected to its engines."""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        options = ("--source", "amqp") if self.source else ()
        self.ingest = self._start("ingest", "ingest", "--port", str(port), *options)
        if ready:
            wait_for(lambda: self._status("/readyz") == 200, START_SECONDS)

    def start_worker(self, *arguments: str, ready: bool = True) -> subprocess.Popen[bytes]:
        """Start a worker; with `ready` wait for the first heartbeat of each of its processes."""
        before = set(self.ledger.membership.workers()) if ready else set()
        worker = self._start(f"worker-{len(self.workers)}", "worker", *arguments)
        self.workers.append(worker)
        if ready:
            count = len(groups_for([Role(role) for role in _values(arguments, "--role")]))
            wait_for(lambda: len(set(self.ledger.membership.workers()) - before) >= count, START_SECONDS)
        return worker

    def ready(self) -> int:
        """Return the status of ingest's `/readyz`."""
        return self._status("/readyz")

    def metric(self, name: str) -> float:
        """Return a metric of the worker at `metrics_port`: the sum of all series with this prefix."""
        text = self.http.get(f"http://127.0.0.1:{self.metrics_port}/metrics").text
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))

    def start_flower(self) -> str:
        """Start Flower, wait until it lists the workers, and return the URL of its tasks."""
        port = free_port()
        self.flower = self._start("flower", "flower", "--port", str(port))
        url = f"http://{FLOWER_USER}@127.0.0.1:{port}/api"
        wait_for(lambda: self._status("/workers?refresh=1", base=url) == 200, START_SECONDS)
        return f"{url}/tasks"

    def start_console(self, port: int) -> str:
        """Start the console, wait until it serves, and return its URL."""
        self.console = self._start("console", "console", "--port", str(port))
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: self._status("/readyz", base=url) == 200, START_SECONDS)
        return url

    def sample(self, name: str, *, blocking: bool | None = None) -> tuple[str, dict[str, Any], Sample]:
        """Return the message id and the body of a new event of a sample, and the sample."""
        sample = SAMPLES[name]
        data = copy.deepcopy(sample.data)
        if blocking is not None:
            data["blockBusiness"] = blocking
        event = event_bodies.event_envelope(sample.event_code, data, account_id=ACCOUNT, now=time.time())
        return event["id"], event, sample

    def start_process(self, message_id: str, sample: Sample) -> None:
        """Start the operation in the emulator."""
        self.emulator.start_process(
            message_id, sample.event_code, project_id=PROJECT_ID, snapshot=sample.snapshot
        )

    def send(self, name: str, *, status: int = 200) -> str:
        """Start a sample's operation, send its event, and return its message id."""
        message_id, event, sample = self.sample(name)
        self.start_process(message_id, sample)
        if self.source:
            self.source.publish(event)
        else:
            assert self.post(event).status_code == status
        return message_id

    def deliver(self, event: object) -> bool:
        """Deliver an event by the source that ingest has; return whether the event is accepted."""
        if self.source is None:
            return self.post(event).status_code == httpx.codes.OK
        try:
            self.source.publish(event)
        except CONNECTION_ERRORS:
            return False
        return True

    def post(self, event: object, *, now: float | None = None, token: str | None = TOKEN) -> httpx.Response:
        """Sign an event and post it to ingest."""
        body = event if isinstance(event, bytes) else orjson.dumps(event)
        headers = self.signer.sign(TARGET, body, time.time() if now is None else now, token)
        return self.post_raw(body, headers)

    def post_raw(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """Post a body with exactly these headers."""
        return self.http.post(f"{self.url}/events", content=body, headers=headers)

    def verdict(self, message_id: str, seconds: float = 30) -> dict[str, Any]:
        """Wait for the verdict in the emulator."""
        return self.emulator.wait_verdict(message_id, seconds)

    def posts(self, message_id: str) -> list[dict[str, Any]]:
        """Return the results of an event that the emulator applied: one, if all is well."""
        return [post for post in self.emulator.verdicts(message_id) if post["status"] in ("first", "late")]

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """SIGKILL a worker and all its processes, like the loss of a machine."""
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
        # The child processes have process groups of their own and would exit gracefully: kill them, too.
        self.signal_all(worker, signal.SIGKILL)
        worker.wait()

    def signal_all(self, worker: subprocess.Popen[bytes], number: signal.Signals) -> None:
        """Send a signal to a worker and all its processes."""
        for pid in _children_of_group(self.environment["DWGATE_TEST_MARK"], worker.pid):
            _send_signal(pid, number)

    def close(self) -> None:
        """Stop all processes."""
        processes = [
            process for process in (self.ingest, self.flower, self.console, *self.workers) if process
        ]
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.ledger.client.close()
        self.http.close()

    def logs(self) -> str:
        """Return the logs of all processes."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.directory.glob("*.log")))

    def _status(self, path: str, *, base: str | None = None) -> int:
        try:
            return self.http.get((base or self.url) + path).status_code
        except httpx.TransportError:
            return 0

    def _start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.directory / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "console.main", *arguments],
                env=self.environment,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def _values(arguments: tuple[str, ...], option: str) -> list[str]:
    return [value for name, value in pairwise(arguments) if name == option]


def _children_of_group(mark: str, session: int) -> list[int]:
    """Return the pids of the session's processes that have `mark` in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if os.getsid(int(entry.name)) == session and mark.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except (OSError, ProcessLookupError):
            continue
    return found


def _send_signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def wait_until_final(gate: RunningDwgate, message_id: str, seconds: float = 20) -> EventRecord:
    """Wait until an event is in a final state; return its record."""

    def look() -> EventRecord | None:
        record = gate.ledger.get(message_id)
        return record if record and record.state.is_final else None

    found = wait_for(look, seconds)
    assert found
    return found


@contextmanager
def fleet(
    broker_url: str,
    redis_url: str,
    directory: Path,
    *,
    workers: int = 1,
    settings: dict[str, str] | None = None,
    tls: TlsFiles = SYSTEM_STORE,
    source: SourceQueue | None = None,
    **emulator: Any,
) -> Iterator[RunningDwgate]:
    """Run ingest, `workers` workers and an emulator (with the arguments `emulator`) on the engines.

    The test itself reads the ledger with the files `tls`; the processes get theirs in `settings`. With a
    `source` ingest takes events from that queue, and has no setting of the HTTP source.
    """
    signer = Signer.generate()
    signer.save(directory)
    extension_code = str(emulator.get("extension_code", EXTENSION_CODE))
    with running(**emulator) as dataworks:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
            "DWGATE_TEST_MARK": f"mark-{os.getpid()}-{time.monotonic_ns()}",
            "DWGATE_BROKER_URL": broker_url,
            "DWGATE_REDIS_URL": redis_url,
            "DWGATE_EXTENSION_CODE": extension_code,
            "DWGATE_REGION": "cn-shanghai",
            "DWGATE_FLOWER_USERS": FLOWER_USER,
            "DWGATE_FLOWER_DB": str(directory / "flower.db"),
            "DWGATE_OPENAPI_ENDPOINT": dataworks.host_port,
            "DWGATE_OPENAPI_PROTOCOL": "http",
            "DWGATE_EVENTBRIDGE_ACCOUNTS": ACCOUNT,
            **_source_settings(source, directory),
            "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": KEY_SECRET,
            **(settings or {}),
        }
        ledger = Ledger(connect(redis_url, tls=tls), extension_code)
        http = httpx.Client(trust_env=False, timeout=10)
        gate = RunningDwgate(dataworks, ledger, environment, directory, signer, http, source=source)
        try:
            gate.start_ingest()
            for _ in range(workers):
                gate.start_worker()
            yield gate
        finally:
            gate.close()


def _source_settings(source: SourceQueue | None, directory: Path) -> dict[str, str]:
    if source is None:
        return {
            "DWGATE_EVENTBRIDGE_TARGET_URLS": TARGET,
            "DWGATE_EVENTBRIDGE_TOKENS": TOKEN,
            "DWGATE_EVENTBRIDGE_CERTIFICATE_FILE": str(directory / CERTIFICATE_FILE),
        }
    return {"DWGATE_SOURCE_URL": source.url, "DWGATE_SOURCE_QUEUE": source.name}
