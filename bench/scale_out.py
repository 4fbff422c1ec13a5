"""Measure how the throughput grows with the number of workers when the far side is slow.

    python -m bench.scale_out [--workers 1 2 4 8] [--events 30] [--latency 1] [--threads 2]

Ingest, the workers, the emulator, RabbitMQ (its own, or DWGATE_TEST_BROKER_URL) and Valkey run as real
processes. One worker with the role `checks-cpu` and one with `watchdog` always run; those with the roles
`intake`, `checks-io` and `reporter`, which wait for DataWorks, are 1, 2, 4 and 8. A proxy delays each OpenAPI
call. For each number of workers, a burst of commits is sent, as many per worker each time; each event reads
its snapshot and posts its verdict. The throughput is that of the verdicts from a sixth to five sixths of the
least time that the posts can take, while events wait for every worker.

Calls are so slow and threads so few that one worker can post one verdict a second (half of its threads may
post): then the workers wait, and the processors of one machine, which run all of them, are not what limits
eight.

The efficiency of n workers is their throughput divided by n times that of one. The target: at least 85 % with
four and 70 % with eight. Exit 1 if it is missed, or if an event has no verdict or another one than its
sample.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson
import psutil

from bench import usage
from bench.engines import engines
from bench.latency import SlowProxy
from common.ledger import State
from tests.support.running_dwgate import SAMPLES, TARGET, TOKEN, RunningDwgate, fleet

SAMPLE = "commit-file-good"
TARGETS = {4: 0.85, 8: 0.70}
ROLES = ("--role", "intake", "--role", "checks-io", "--role", "reporter")
QPS = 1000
DEADLINE_SECONDS = 1800
"""So long that no watchdog takes part."""

SENDERS = 8
SETTLE_SECONDS = 600.0
_POLICY = Path(__file__).parent.parent / "workers" / "policy" / "default.yaml"


@dataclass(frozen=True, slots=True)
class Burst:
    """The result of one burst.

    Attributes:
        workers: the number of workers.
        events: the number of events.
        rate: verdicts a second while events waited for every worker.
        seconds: from the first POST to the last verdict.
        own_cpu: share of the machine's processors that dwgate, engines, emulator and this program used.
        all_cpu: share that everything on the machine used.
        wrong: events with another verdict than their sample, or none.
    """

    workers: int
    events: int
    rate: float
    seconds: float
    own_cpu: float
    all_cpu: float
    wrong: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8], help="numbers of workers")
    parser.add_argument("--events", type=int, default=30, help="events per worker")
    parser.add_argument("--latency", type=float, default=1.0, help="seconds of each OpenAPI call")
    parser.add_argument("--threads", type=int, default=2, help="I/O-bound tasks of a worker at once")
    parser.add_argument("--rounds", type=int, default=1, help="bursts for each number; the median counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder:
        directory = Path(folder)
        with (
            engines(directory) as (broker, redis),
            fleet(
                *(broker, redis, directory),
                workers=0,
                settings=_settings(directory),
                read_qps=QPS,
                write_qps=QPS,
            ) as gate,
        ):
            proxy = SlowProxy(f"http://{gate.emulator.host_port}", options.latency, has_tail=False)
            with proxy.serving():
                gate.environment["DWGATE_OPENAPI_ENDPOINT"] = f"127.0.0.1:{proxy.port}"
                gate.start_worker("--role", "watchdog")
                gate.start_worker("--role", "checks-cpu", "--processes", "2")
                medians = []
                for workers in sorted(options.workers):
                    bursts = measure(gate, workers, options)
                    medians.append(sorted(bursts, key=lambda burst: burst.rate)[len(bursts) // 2])
    sys.exit(not is_met(medians))


def _settings(directory: Path) -> dict[str, str]:
    policy = directory / "policy.yaml"
    policy.write_text(re.sub("deadline: 60", f"deadline: {DEADLINE_SECONDS}", _POLICY.read_text()))
    return {
        "DWGATE_LOG_LEVEL": "warning",
        "DWGATE_POLICY_FILE": str(policy),
        "DWGATE_OPENAPI_READ_QPS": str(QPS),
        "DWGATE_OPENAPI_WRITE_QPS": str(QPS),
        "DWGATE_LOOKUP_CACHE_SECONDS": "3600",
        "DWGATE_RECONCILE_SECONDS": "3600",
    }


def measure(gate: RunningDwgate, workers: int, options: argparse.Namespace) -> list[Burst]:
    """Start workers, send bursts, print their results, and stop the workers."""
    started = [gate.start_worker(*ROLES, "--threads", str(options.threads)) for _ in range(workers)]
    # Of the posts of one worker, one after the other in half of its threads.
    least = options.events * options.latency / max(1, options.threads // 2)
    try:
        send_burst(gate, workers, 2 * workers, least)  # opens connections, fills the caches
        bursts = [send_burst(gate, workers, options.events * workers, least) for _ in range(options.rounds)]
    finally:
        stop(gate, started)
    for burst in bursts:
        cpu = f"{100 * burst.own_cpu:.0f} % of the machine's CPU, all together {100 * burst.all_cpu:.0f} %"
        rate = f"{burst.rate:5.2f} verdicts a second"
        print(
            f"{workers} workers: {rate}; {burst.events} events in {burst.seconds:5.1f} s; {cpu}", flush=True
        )
    return bursts


def send_burst(gate: RunningDwgate, workers: int, count: int, least: float) -> Burst:
    """Send events at once, and wait for all their verdicts; the posts take at least `least` seconds."""
    bodies, message_ids = [], []
    for _ in range(count):
        message_id, event, sample = gate.sample(SAMPLE)
        gate.start_process(message_id, sample)
        bodies.append(orjson.dumps(event))
        message_ids.append(message_id)
    psutil.cpu_percent()
    used = _cpu_seconds()
    began = time.time()
    with httpx.Client(base_url=gate.url, trust_env=False, timeout=10) as client:

        def post(body: bytes) -> int:
            headers = gate.signer.sign(TARGET, body, time.time(), TOKEN)
            return client.post("/events", content=body, headers=headers).status_code

        with ThreadPoolExecutor(SENDERS) as pool:
            statuses = set(pool.map(post, bodies))
    if statuses != {httpx.codes.OK}:
        raise SystemExit(f"ingest answered {statuses}")
    _wait(gate, message_ids)
    used, all_cpu = _cpu_seconds() - used, psutil.cpu_percent() / 100
    own_cpu = used / (time.time() - began) / (psutil.cpu_count() or 1)
    verdicts = {post["message_id"]: post for post in gate.emulator.verdicts()}
    own = [verdicts[message_id] for message_id in message_ids if message_id in verdicts]
    right = sum(verdict["result"] == SAMPLES[SAMPLE].expected.value for verdict in own)
    times = sorted(float(verdict["at"]) - began for verdict in own)
    window = [at for at in times if least / 6 <= at < least * 5 / 6]
    rate = len(window) / (least * 2 / 3)
    return Burst(workers, count, rate, times[-1], own_cpu, all_cpu, wrong=count - right)


def _cpu_seconds() -> float:
    own = psutil.Process().cpu_times()
    return sum(usage.by_process().values()) + own.user + own.system


def _wait(gate: RunningDwgate, message_ids: Sequence[str]) -> None:
    limit = time.monotonic() + SETTLE_SECONDS
    while set(gate.ledger.states(message_ids)) != {State.REPORTED}:
        if time.monotonic() > limit:
            raise SystemExit(f"not all events have a verdict after {SETTLE_SECONDS:g} s")
        time.sleep(0.1)


def stop(gate: RunningDwgate, workers: Sequence[subprocess.Popen[bytes]]) -> None:
    """Stop workers, and wait until they have ended."""
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.wait(60)
        gate.workers.remove(worker)


def is_met(bursts: Sequence[Burst]) -> bool:
    """Print the efficiency for each number of workers; return whether the target is met."""
    one = bursts[0].rate / bursts[0].workers
    missed = [f"{burst.wrong} wrong verdicts" for burst in bursts if burst.wrong]
    for burst in bursts:
        efficiency = burst.rate / burst.workers / one
        print(f"efficiency of {burst.workers} workers: {100 * efficiency:3.0f} %")
        if efficiency < TARGETS.get(burst.workers, 0.0):
            missed.append(f"{burst.workers} workers below {100 * TARGETS[burst.workers]:.0f} %")
    print(f"aim: {'missed: ' + ', '.join(missed) if missed else 'met'}")
    return not missed


if __name__ == "__main__":
    main()
