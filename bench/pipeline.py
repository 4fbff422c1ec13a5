"""Measure the full path of an event, from the signed POST to the verdict, compared with a Celery chord.

    python -m bench.pipeline [--events 600] [--rates 20 50] [--seconds 20] [--rounds 3]

Both systems take turns in the same run, since the machine's speed may change during it: figures are medians
of the rounds, and each ratio is of one round. Both have the same signed events, signature checks, checks,
policy, decision, DataWorks client, emulator, quota (too high to limit), queue type, publisher confirms,
prefetch, pools, number of processes and log level. The chord's front end is FastAPI with `send_task`.

Each mix of events is pushed in several ways, after a warm-up: at fixed rates, where an event is timed from
when it was due to be posted until the emulator accepts its verdict; and in a burst, as fast as the front end
answers. The CPU time of each process is printed too, since all share one machine.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path

import orjson
import redis

from bench import load, usage
from bench.engines import engines
from bench.quantiles import quantile
from bench.systems_under_test import SYSTEMS
from tests.support.running_dwgate import SAMPLES, TARGET, TOKEN, RunningDwgate, fleet, wait_for

QPS = 1000
CONNECTIONS = 64
WARM_UP = 60
RUN_SECONDS = 120.0

MIXES: dict[str, tuple[str, ...]] = {
    "all ten points": tuple(SAMPLES),
    "commit-file": ("commit-file-good", "commit-file-bad"),
}


@dataclass(frozen=True, slots=True)
class Push:
    """The number of events to push, and the rate per second; 0 for as fast as the front end answers."""

    count: int
    rate: float


@dataclass(frozen=True, slots=True)
class Run:
    """The results of one system.

    Attributes:
        seconds: per event, from when it was due until its verdict was accepted.
        elapsed: seconds from the first event to the last verdict.
        cpu: CPU milliseconds per event, by kind of process.
        redis_reads: reads per event.
        calls: calls of the OpenAPI per event.
    """

    seconds: list[float]
    elapsed: float
    cpu: dict[str, float]
    redis_reads: float
    calls: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=600, help="events of each burst")
    parser.add_argument(
        "--rates", type=float, nargs="+", default=[20, 50], help="events per second at fixed rates"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=20,
        help="duration of each run at a fixed rate; below 50, since signatures expire",
    )
    parser.add_argument("--rounds", type=int, default=3, help="number of turns of each system")
    options = parser.parse_args()
    pushes = [Push(int(rate * options.seconds), rate) for rate in options.rates]
    pushes.append(Push(options.events, 0))
    rounds = [{name: measure(name, pushes) for name in SYSTEMS} for _ in range(options.rounds)]
    for mix, push in itertools.product(MIXES, pushes):
        show(mix, push, {name: [sides[name][mix, push] for sides in rounds] for name in SYSTEMS})


def show(mix: str, push: Push, runs: dict[str, list[Run]]) -> None:
    """Print the results of both systems for one mix of events, pushed in one way, over all rounds."""
    how = f"at {push.rate:g} per second" if push.rate else "in a burst"
    print(f"{mix}, {push.count} events {how}, from POST to verdict:")
    print(f"{'':14} {'p50 ms':>8} {'p99 ms':>8} {'events/s':>9} {'Redis reads':>12} {'calls':>6}")
    for name, rounds in runs.items():
        print(
            f"{name:14} {_median(rounds, _p50):8.0f} {_median(rounds, _p99):8.0f}"
            f" {_median(rounds, _rate):9.1f} {_median(rounds, attrgetter('redis_reads')):12.1f}"
            f" {_median(rounds, attrgetter('calls')):6.1f}"
        )
    _show_ratios(*runs.values())
    print("CPU ms per event, by process:")
    for part in sorted({part for rounds in runs.values() for run in rounds for part in run.cpu}):
        used = (_median(rounds, partial(_cpu_of, part)) for rounds in runs.values())
        print(f"  {part:20}" + "".join(f"{milliseconds:12.2f}" for milliseconds in used))
    print(
        f"  {'all':20}" + "".join(f"{_median(rounds, _cpu):12.2f}" for rounds in runs.values()) + "\n",
        flush=True,
    )


def _show_ratios(rival: list[Run], ours: list[Run]) -> None:
    ratios = {
        "p50": [_p50(theirs) / _p50(own) for theirs, own in zip(rival, ours, strict=True)],
        "p99": [_p99(theirs) / _p99(own) for theirs, own in zip(rival, ours, strict=True)],
        "events/s": [_rate(own) / _rate(theirs) for theirs, own in zip(rival, ours, strict=True)],
        "CPU": [_cpu(theirs) / _cpu(own) for theirs, own in zip(rival, ours, strict=True)],
    }
    shown = (
        f"{what} {statistics.median(each):.2f} ({min(each):.2f} to {max(each):.2f})"
        for what, each in ratios.items()
    )
    print("ratio (above 1 is better): " + ", ".join(shown))


def _median(rounds: list[Run], of: Callable[[Run], float]) -> float:
    return statistics.median(of(run) for run in rounds)


def _p50(run: Run) -> float:
    return quantile(run.seconds, 0.5) * 1000


def _p99(run: Run) -> float:
    return quantile(run.seconds, 0.99) * 1000


def _rate(run: Run) -> float:
    return len(run.seconds) / run.elapsed


def _cpu(run: Run) -> float:
    return sum(run.cpu.values())


def _cpu_of(part: str, run: Run) -> float:
    return run.cpu.get(part, 0.0)


def measure(name: str, pushes: Sequence[Push]) -> dict[tuple[str, Push], Run]:
    """Push every mix in every way through one system."""
    settings = {
        "DWGATE_OPENAPI_READ_QPS": str(QPS),
        "DWGATE_OPENAPI_WRITE_QPS": str(QPS),
        "DWGATE_LOG_LEVEL": "warning",
    }
    runs = {}
    with tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder:
        directory = Path(folder)
        (directory / "logs").mkdir()
        with (
            engines(directory) as (broker, store),
            fleet(broker, store, directory / "logs", workers=0, settings=settings) as gate,
            SYSTEMS[name](gate),
        ):
            for mix, names in MIXES.items():
                run(gate, names, Push(WARM_UP, 0))
                for push in pushes:
                    runs[mix, push] = run(gate, names, push)
    return runs


def run(gate: RunningDwgate, names: Sequence[str], push: Push) -> Run:
    """Push events of the samples `names`, and wait for the verdicts.

    Raises:
        RuntimeError: an event was not accepted, or does not have exactly one verdict.
    """
    requests = dict(itertools.islice(_requests(gate, names), push.count))
    store = redis.Redis.from_url(gate.environment["DWGATE_REDIS_URL"])
    cpu, reads, calls = usage.by_process(), _reads(store), _calls(gate)
    host, port = gate.url.removeprefix("http://").split(":")
    tally = load.run(host, int(port), [*requests.values()], connections=CONNECTIONS, rate=push.rate)
    wait_for(lambda: not gate.emulator.state()["processes"]["CHECKING"], RUN_SECONDS)
    spent = usage.difference(cpu, usage.by_process())
    taken = {
        post["message_id"]: post["at"] for post in gate.emulator.verdicts() if post["message_id"] in requests
    }
    if tally.statuses != {200: push.count} or taken.keys() != requests.keys():
        raise RuntimeError(f"{tally.statuses} and {len(taken)} verdicts for {push.count} events")
    return Run(
        seconds=[taken[message_id] - due for message_id, due in zip(requests, tally.due, strict=True)],
        elapsed=max(taken.values()) - tally.due[0],
        cpu={part: seconds / push.count * 1000 for part, seconds in spent.items()},
        redis_reads=(_reads(store) - reads) / push.count,
        calls=(_calls(gate) - calls) / push.count,
    )


def _requests(gate: RunningDwgate, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Start operations at the emulator; yield their IDs and the signed posts of their events."""
    for name in itertools.cycle(names):
        message_id, event, sample = gate.sample(name)
        gate.start_process(message_id, sample)
        body = orjson.dumps(event)
        headers = gate.signer.sign(TARGET, body, time.time(), TOKEN)
        headers["content-type"] = "application/json"
        yield message_id, load.request("/events", gate.url.removeprefix("http://"), headers, body)


def _reads(store: redis.Redis) -> int:
    return int(store.info("stats")["total_reads_processed"])


def _calls(gate: RunningDwgate) -> int:
    return sum(gate.emulator.state()["calls"].values())


if __name__ == "__main__":
    main()
