"""Start a worker several times, and measure its CPU and real seconds until it is ready.

    python -m bench.start [--runs 5]

Real engines and a real worker with every role. The CPU seconds are those of all its processes. The modules
are compiled before, like those of an installed package. Ready is what `/readyz` says; the time until the
first heartbeat of the watchdog's process is shown beside it. The target: 1.5 CPU seconds, in the median.
Exit 1 if it is missed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from bench.engines import engines
from tests.support.engines import free_port
from tests.support.running_dwgate import RunningDwgate, fleet

MAX_CPU_SECONDS = 1.5
POLL_SECONDS = 0.1
START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a worker.

    Attributes:
        watchdog: real seconds until the process that decides what is due worked.
        ready: real seconds until all roles were.
        cpu: CPU seconds of all processes until then, by the name of the process.
    """

    watchdog: float
    ready: float
    cpu: dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=5, help="number of starts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder:
        directory = Path(folder)
        logs = directory / "logs"
        logs.mkdir()
        bytecode = {"PYTHONPYCACHEPREFIX": str(directory / "bytecode"), "PYTHONDONTWRITEBYTECODE": ""}
        with (
            engines(directory) as (broker, redis),
            fleet(broker, redis, logs, workers=0, settings=bytecode) as gate,
        ):
            measure(gate)  # compiles
            starts = [measure(gate) for _ in range(options.runs)]
    show(starts)
    sys.exit(median_cpu(starts) > MAX_CPU_SECONDS)


def measure(gate: RunningDwgate) -> Start:
    """Start a worker, wait until it is ready, and kill it."""
    port = free_port()
    earlier = set(gate.ledger.membership.workers())
    began, watchdog = time.monotonic(), 0.0
    worker = gate.start_worker("--processes", "2", "--metrics-port", str(port), ready=False)
    try:
        while (missing := not_ready(port)) != "ok":
            now = time.monotonic()
            names = () if watchdog else set(gate.ledger.membership.workers()) - earlier
            if any(name.startswith("watchdog-") for name in names):
                watchdog = now - began
            if now - began > START_SECONDS:
                raise SystemExit(f"not ready after {START_SECONDS:.0f} s: {missing}")
            time.sleep(POLL_SECONDS)
        ready = time.monotonic() - began
        return Start(watchdog or ready, ready, cpu_seconds(worker.pid))
    finally:
        gate.kill(worker)


def not_ready(port: int) -> str:
    """Return the roles that are not ready, `ok`, or nothing before the port is open."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False, timeout=5).text
    except httpx.TransportError:
        return ""


def cpu_seconds(pid: int) -> dict[str, float]:
    """Return the CPU seconds of a process and its descendants, including those that have ended."""
    seconds: dict[str, float] = {}
    worker = psutil.Process(pid)
    for process in (worker, *worker.children(recursive=True)):
        try:
            times, name = process.cpu_times(), process.name()
        except psutil.NoSuchProcess:
            continue
        used = times.user + times.system + times.children_user + times.children_system
        seconds[name] = seconds.get(name, 0.0) + used
    return seconds


def median_cpu(starts: list[Start]) -> float:
    return statistics.median(sum(start.cpu.values()) for start in starts)


def show(starts: list[Start]) -> None:
    """Print the table."""
    for name in sorted({name for start in starts for name in start.cpu}):
        print(f"{name:24} {statistics.median(start.cpu.get(name, 0.0) for start in starts):6.2f} CPU s")
    cpu = median_cpu(starts)
    print(f"{'all processes':24} {cpu:6.2f} CPU s, target {MAX_CPU_SECONDS}")
    print(f"{'watchdog ready':24} {statistics.median(start.watchdog for start in starts):6.2f} s")
    print(f"{'all roles ready':24} {statistics.median(start.ready for start in starts):6.2f} s")
    print(f"{'aim':24} {'met' if cpu <= MAX_CPU_SECONDS else 'missed'}")


if __name__ == "__main__":
    main()
