"""Measure what workers cost that have nothing to do: CPU by process, calls of Redis, and memory.

    python -m bench.idle [--workers 4] [--seconds 60]

Ingest, the workers, the emulator, RabbitMQ (its own, or DWGATE_TEST_BROKER_URL) and Valkey run as real
processes. Each worker has every role. After one event and `SETTLE_SECONDS` nothing arrives. The target for
all workers together is 1 % of a core; exit 1 if it is missed. A wake-up after a pause costs several times as
much as on a busy machine, since what it needs is in no cache of the processor.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from bench.engines import engines
from bench.usage import by_process
from tests.support.running_dwgate import RunningDwgate, fleet, wait_until_final

SETTLE_SECONDS = 15.0
"""Time in which the first sweeps of the reconciler end, and the spool counts as idle."""

MAX_SHARE = 0.01
"""Target: share of a core of all workers together."""

OTHERS = frozenset({"RabbitMQ", "Valkey", "emulator", "front"})
SETTINGS = {"DWGATE_LOG_LEVEL": "warning"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--workers", type=int, default=4, help="`dwgate worker` processes")
    parser.add_argument("--seconds", type=float, default=60, help="duration of the measurement")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder:
        logs = Path(folder) / "logs"
        logs.mkdir()
        with (
            engines(Path(folder)) as (broker, redis),
            fleet(broker, redis, logs, workers=options.workers, settings=SETTINGS) as gate,
        ):
            wait_until_final(gate, gate.send("commit-file-good"))
            time.sleep(SETTLE_SECONDS)
            share = measure(gate, options.workers, options.seconds)
    sys.exit(share > MAX_SHARE)


def measure(gate: RunningDwgate, workers: int, seconds: float) -> float:
    """Print the table; return the share of a core of all workers."""
    calls, cpu, started = redis_calls(gate), by_process(), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - started
    used = {name: (end - cpu.get(name, 0.0)) / took for name, end in by_process().items()}
    for name in sorted(used, key=lambda name: -used[name]):
        print(f"{name:20} {used[name]:7.2%} of a core")
    share = sum(used[name] for name in used if name not in OTHERS)
    scripts = (redis_calls(gate) - calls) / took / workers
    print(f"{workers} workers: {share:.2%} of a core (target {MAX_SHARE:.0%})")
    print(f"{scripts:.1f} scripts a second in Redis for each worker")
    print(
        f"{memory(gate) / 1e6 / workers:.0f} MB of memory for each worker, shared memory counted once (PSS)"
    )
    return share


def memory(gate: RunningDwgate) -> int:
    """Return the bytes of memory of all workers."""
    supervisors = [psutil.Process(worker.pid) for worker in gate.workers]
    processes = [item for one in supervisors for item in (one, *one.children(recursive=True))]
    return sum(process.memory_full_info().pss for process in processes)


def redis_calls(gate: RunningDwgate) -> int:
    """Return the number of scripts that Redis has run."""
    stats: dict[str, Any] = gate.ledger.client.info("commandstats")
    return int(stats["cmdstat_evalsha"]["calls"])


if __name__ == "__main__":
    main()
