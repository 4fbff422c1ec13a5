"""Attack ingest with slow connections and endless headers, and measure what others notice.

    python -m bench.slow_clients [--slow 1000] [--rate 100] [--seconds 20]

Signed events are posted at a fixed rate and `/healthz` is requested over new connections, first undisturbed,
then while another process holds `--slow` connections that send one byte of a header a second and one
connection that sends headers without end; each is opened again as soon as ingest closes it. Exit 1 if an aim
is missed: `/healthz` p99 at most 200 ms, every event answered 200, at most 512 MB of memory. Attackers, load
generator, broker and server share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import multiprocessing
import re
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from bench import ingest, load
from bench.engines import engines
from bench.quantiles import quantile
from emulator.eventbridge.sender import Signer

MAX_HEALTH_MS = 200.0
MAX_MEMORY_MB = 512.0
PROBE_SECONDS = 0.02
DRIP_SECONDS = 1.0
CONNECTIONS = 16
ENDLESS = b"a:\r\n" * 16_000


@dataclass(frozen=True, slots=True)
class Measured:
    """What senders noticed, times in milliseconds."""

    health_p50: float
    health_p99: float
    health_max: float
    health_failures: int
    events: int
    accepted: int
    events_p50: float
    events_p99: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--slow", type=int, default=1000, help="number of slow connections")
    parser.add_argument("--rate", type=int, default=100, help="signed events per second")
    parser.add_argument("--seconds", type=float, default=20.0, help="duration of each of the two runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder:
        directory = Path(folder)
        Signer.generate().save(directory)
        with (
            engines(directory) as (broker, redis),
            ingest.server(ingest.SERVERS["dwgate"], ingest.settings(directory, broker, redis)) as (
                port,
                process,
            ),
        ):
            load.run("127.0.0.1", port, ingest.sign(directory, port, 200), connections=CONNECTIONS)
            count = int(options.rate * options.seconds)
            undisturbed = measure(port, ingest.sign(directory, port, count), options.rate)
            show("undisturbed", undisturbed)
            requests = ingest.sign(directory, port, count)
            with attackers(port, options.slow):
                wait_for_connections(port, options.slow)
                disturbed = measure(port, requests, options.rate)
                limits = limited(port)
            show(f"{options.slow} slow, 1 endless", disturbed)
            memory = peak_memory_mb(process)
    print(f"peak memory {memory:.0f} MB; ended by a limit: {limits}")
    missed = [
        text
        for is_missed, text in (
            (disturbed.health_p99 > MAX_HEALTH_MS, f"/healthz p99 above {MAX_HEALTH_MS:.0f} ms"),
            (disturbed.health_failures > 0, "/healthz failed"),
            (disturbed.accepted < disturbed.events, "not every event was answered 200"),
            (memory > MAX_MEMORY_MB, f"memory above {MAX_MEMORY_MB:.0f} MB"),
        )
        if is_missed
    ]
    print("missed: " + ", ".join(missed) if missed else "met")
    return int(bool(missed))


def measure(port: int, requests: list[bytes], rate: int) -> Measured:
    """Post `requests` at `rate` per second while `/healthz` is probed."""
    stop = threading.Event()
    seconds: list[float] = []
    failures: list[str] = []
    prober = threading.Thread(target=probe, args=(port, stop, seconds, failures))
    prober.start()
    try:
        tally = load.run("127.0.0.1", port, requests, connections=CONNECTIONS, rate=rate)
    finally:
        stop.set()
        prober.join()
    return Measured(
        health_p50=quantile(seconds, 0.5) * 1000,
        health_p99=quantile(seconds, 0.99) * 1000,
        health_max=max(seconds, default=0.0) * 1000,
        health_failures=len(failures),
        events=len(requests),
        accepted=tally.statuses[200],
        events_p50=tally.quantile(0.5),
        events_p99=tally.quantile(0.99),
    )


def probe(port: int, stop: threading.Event, seconds: list[float], failures: list[str]) -> None:
    """Request `/healthz` over new connections until `stop` is set; append to `seconds` and `failures`."""
    while not stop.is_set():
        started = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/healthz")
            if (status := connection.getresponse().status) != http.client.OK:
                failures.append(str(status))
        except OSError as error:
            failures.append(type(error).__name__)
        finally:
            connection.close()
        seconds.append(time.perf_counter() - started)
        stop.wait(PROBE_SECONDS)


@contextmanager
def attackers(port: int, slow: int) -> Iterator[None]:
    """Run the attack in a process of its own."""
    process = multiprocessing.get_context("spawn").Process(target=attack, args=(port, slow), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def attack(port: int, slow: int) -> None:
    """Hold `slow` slow connections and an endless one, for ever."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, slow + 200), hard))

    async def run() -> None:
        await asyncio.gather(
            send_endless_headers(port), *(send_slowly(port, number) for number in range(slow))
        )

    asyncio.run(run())


async def send_slowly(port: int, number: int) -> None:
    """Send a head one byte at a time; connect again whenever the server closes."""
    await asyncio.sleep(number / 1000)  # not all at once: the backlog of the listening socket is limited
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST /events HTTP/1.1\r\nhost: x\r\nx-a: ")
            while not writer.transport.is_closing():
                await asyncio.sleep(DRIP_SECONDS)
                writer.write(b"a")
            writer.close()


async def send_endless_headers(port: int) -> None:
    """Send headers as fast as the server takes them; connect again whenever it closes."""
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST /events HTTP/1.1\r\nhost: x\r\n")
            while not writer.transport.is_closing():
                writer.write(ENDLESS)
                await writer.drain()
            writer.close()


def wait_for_connections(port: int, slow: int) -> None:
    """Wait until ingest has most of the connections that it takes."""
    limit = time.monotonic() + 60
    while metric(port, "dwgate_ingest_connections") < min(slow, 2000) * 0.95:
        if time.monotonic() > limit:
            sys.exit("the attackers did not get their connections")
        time.sleep(0.1)


def metric(port: int, name: str) -> float:
    """Return a metric of ingest."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False, timeout=30).text
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def limited(port: int) -> str:
    """Return how many requests and connections each limit has ended."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False, timeout=30).text
    counts = re.findall(r'^dwgate_ingest_limited_total\{limit="([\w-]+)"\} (\S+)$', text, re.MULTILINE)
    return ", ".join(f"{name} {float(count):.0f}" for name, count in counts if float(count)) or "none"


def peak_memory_mb(process: psutil.Process) -> float:
    """Return the largest resident memory that a process has had, in MB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) / 1024 if found else float("inf")


def show(name: str, measured: Measured) -> None:
    """Print one run."""
    print(
        f"{name:24} /healthz p50 {measured.health_p50:.1f} p99 {measured.health_p99:.1f}"
        f" max {measured.health_max:.1f} ms, {measured.health_failures} failed;"
        f" events {measured.accepted} of {measured.events} answered 200,"
        f" p50 {measured.events_p50:.1f} p99 {measured.events_p99:.1f} ms",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
