"""Compare ingest with FastAPI + `celery.send_task`: confirmed events per second, and latency.

    python -m bench.ingest [--seconds 10] [--rate 3000]

Both run as one process, verify the same signatures with the same code, and publish persistent, confirmed
messages to quorum queues of the same RabbitMQ (its own, or DWGATE_TEST_BROKER_URL). First each in turn runs
as fast as it can with 64 connections, then dwgate runs at a fixed rate. Load generator, broker and server
share the machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import orjson
import psutil

from bench import load
from bench.engines import engines
from emulator.eventbridge import event_bodies
from emulator.eventbridge.sender import Signer
from tests.support.engines import clean_broker, free_port

ACCOUNT = "1107550004250001"
TARGET = "https://dwgate.example.com/events"
TOKEN = "bench-token-0123456789-made-up"
CONNECTIONS = 64
RATE_CONNECTIONS = 128
START_SECONDS = 30.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=10.0, help="duration of the run at a fixed rate")
    parser.add_argument("--rate", type=int, default=3000, help="events per second of that run")
    parser.add_argument("--events", type=int, default=15000, help="events of each run at full speed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder:
        directory = Path(folder)
        signer = Signer.generate()
        signer.save(directory)
        with engines(directory) as (broker, redis):
            environment = settings(directory, broker, redis)
            print(f"{'':34} {'events/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'CPU µs/event':>13}  answers")
            rates = {}
            for name, command in SERVERS.items():
                rates[name] = full_speed(name, command, environment, directory, options.events, broker)
            fixed_rate(environment, directory, options.rate, options.seconds, broker)
            print(f"\nratio of events/s: {rates['dwgate'] / rates['fastapi + send_task']:.2f}")


SERVERS = {
    "fastapi + send_task": ["uvicorn", "bench.baselines.fastapi_send_task:app", "--no-access-log", "--port"],
    "dwgate": ["console.main", "ingest", "--port"],
}


def settings(directory: Path, broker: str, redis: str) -> dict[str, str]:
    """Return the environment of a server under test."""
    return {
        **os.environ,
        "DWGATE_BROKER_URL": broker,
        "DWGATE_REDIS_URL": redis,
        "DWGATE_EXTENSION_CODE": "bench",
        "DWGATE_REGION": "cn-shanghai",
        "DWGATE_EVENTBRIDGE_TARGET_URLS": TARGET,
        "DWGATE_EVENTBRIDGE_TOKENS": TOKEN,
        "DWGATE_EVENTBRIDGE_ACCOUNTS": ACCOUNT,
        "DWGATE_EVENTBRIDGE_CERTIFICATE_FILE": str(directory / "eventbridge-certificate.pem"),
        "DWGATE_LOG_LEVEL": "warning",
    }


@contextmanager
def server(command: list[str], environment: dict[str, str]) -> Iterator[tuple[int, psutil.Process]]:
    """Run one server; yield its port and process."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", *command, str(port)], env=environment)
    try:
        limit = time.monotonic() + START_SECONDS
        while True:
            try:
                httpx.post(f"http://127.0.0.1:{port}/events", content=b"", trust_env=False)
                break
            except httpx.TransportError:
                if time.monotonic() > limit or process.poll() is not None:
                    raise
        wait_ready(port, limit)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)


def wait_ready(port: int, limit: float) -> None:
    """Wait until the server reports that it is connected to the broker, if it can."""
    while time.monotonic() < limit:
        code = httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code
        if code in (200, 404):
            return


def sign(directory: Path, port: int, count: int) -> list[bytes]:
    """Return `count` signed requests, each of a different event."""
    share = [count // 2, count - count // 2]
    with ProcessPoolExecutor(2) as pool:
        parts = pool.map(_sign, [directory] * 2, [port] * 2, share)
    return [request for part in parts for request in part]


def _sign(directory: Path, port: int, count: int) -> list[bytes]:
    signer = Signer.load(directory)
    requests = []
    for _ in range(count):
        now = time.time()
        event = event_bodies.event_envelope(
            "commit-file", event_bodies.event_body("commit-file"), account_id=ACCOUNT, now=now
        )
        body = orjson.dumps(event)
        headers = {"content-type": "application/json", **signer.sign(TARGET, body, now, TOKEN)}
        requests.append(load.request("/events", f"127.0.0.1:{port}", headers, body))
    return requests


def full_speed(
    name: str, command: list[str], environment: dict[str, str], directory: Path, count: int, broker: str
) -> float:
    """Run one server at full speed; return its successful responses per second."""
    clean_broker(broker)
    with server(command, environment) as (port, process):
        load.run("127.0.0.1", port, sign(directory, port, 500), connections=8)
        requests = sign(directory, port, count)
        before = cpu(process)
        tally = load.run("127.0.0.1", port, requests, connections=CONNECTIONS)
        show(f"{name}, {CONNECTIONS} connections", tally, cpu(process) - before)
    return tally.rate


def fixed_rate(environment: dict[str, str], directory: Path, rate: int, seconds: float, broker: str) -> None:
    """Run dwgate at a fixed rate; each request is timed from when it was due."""
    clean_broker(broker)
    with server(SERVERS["dwgate"], environment) as (port, process):
        load.run("127.0.0.1", port, sign(directory, port, 500), connections=8)
        requests = sign(directory, port, int(rate * seconds))
        before = cpu(process)
        tally = load.run("127.0.0.1", port, requests, connections=RATE_CONNECTIONS, rate=rate)
        show(f"dwgate, {rate}/s for {seconds:.0f} s", tally, cpu(process) - before)


def cpu(process: psutil.Process) -> float:
    """Return the CPU seconds that a process has used."""
    times = process.cpu_times()
    return float(times.user + times.system)


def show(name: str, tally: load.Tally, cpu_seconds: float) -> None:
    """Print one row."""
    total = sum(tally.statuses.values())
    answers = " ".join(f"{code}:{count}" for code, count in sorted(tally.statuses.items()))
    print(
        f"{name:34} {tally.rate:9.0f} {tally.quantile(0.5):8.1f} {tally.quantile(0.99):8.1f}"
        f" {cpu_seconds / max(total, 1) * 1e6:13.0f}  {answers}",
        flush=True,
    )


if __name__ == "__main__":
    main()
