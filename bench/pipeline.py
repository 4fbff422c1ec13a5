"""Measure the whole way of an event, from the intake queue to the verdict, beside a Celery chord.

    python -m bench.pipeline [--events 600]

Both sides in the same run, one after the other, with the same events, checks, policy, decision, DataWorks
client, emulator, quota (too high to bind), kinds of queue, publisher confirms, pools and number of
processes. Each side is warmed up, then the events are put into the intake queue at once. Both pay the same
for the far side; what each process used of the CPU is printed too, since all share one machine.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import kombu
import redis

from bench import usage
from bench.engines import engines
from bench.quantiles import quantile
from common import topology
from common.events import Event
from ingest import message
from tests.emulators import PROJECT_ID
from tests.fleet import SAMPLES, Gate, fleet, wait_for
from workers.roles import Pool, processes

QPS = 1000
THREADS, PROCESSES = 32, 2
WARM_UP = 60
START_SECONDS = 60.0
RUN_SECONDS = 120.0

MIXES: dict[str, tuple[str, ...]] = {
    "all ten points": tuple(SAMPLES),
    "commit-file": ("commit-file-good", "commit-file-bad"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """What one side did: seconds to each verdict, and what an event cost."""

    seconds: list[float]
    cpu: dict[str, float]
    redis_reads: float
    calls: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return len(self.seconds) / max(self.seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=600, help="events of each run")
    options = parser.parse_args()
    runs = {name: measure(start, options.events) for name, start in SIDES.items()}
    for mix in MIXES:
        print(f"{mix}:")
        print(
            f"{'':14} {'events/s':>9} {'p50 s':>7} {'p99 s':>7} {'reads of Redis':>15} {'OpenAPI calls':>14}"
        )
        for name, side in runs.items():
            _show(name, side[mix])
        ratio = runs["dwgate"][mix].rate / runs["celery chord"][mix].rate
        print(f"ratio of events/s: {ratio:.2f}\n\nCPU ms an event, by process:")
        parts = sorted({part for side in runs.values() for part in side[mix].cpu})
        for part in parts:
            cells = "".join(f"{side[mix].cpu.get(part, 0):14.2f}" for side in runs.values())
            print(f"{part:22}{cells}")
        print()


def _show(name: str, run: Run) -> None:
    p50, p99 = quantile(run.seconds, 0.5), quantile(run.seconds, 0.99)
    print(f"{name:14} {run.rate:9.0f} {p50:7.2f} {p99:7.2f} {run.redis_reads:15.1f} {run.calls:14.1f}")


def measure(start: Callable[[Gate], Iterator[None]], count: int) -> dict[str, Run]:
    """Run every mix on one side."""
    settings = {"DWGATE_OPENAPI_READ_QPS": str(QPS), "DWGATE_OPENAPI_WRITE_QPS": str(QPS)}
    with tempfile.TemporaryDirectory(prefix="dwgate-bench-") as folder:
        directory = Path(folder)
        (directory / "logs").mkdir()
        with (
            engines(directory) as (broker, store),
            fleet(broker, store, directory / "logs", workers=0, settings=settings) as gate,
            contextmanager(start)(gate),
        ):
            _wait_for_consumers(broker)
            runs = {}
            for mix, names in MIXES.items():
                _run(gate, broker, names, WARM_UP)
                runs[mix] = _run(gate, broker, names, count)
    return runs


def _dwgate(gate: Gate) -> Iterator[None]:
    gate.start_worker("--threads", str(THREADS), "--processes", str(PROCESSES))
    yield


def _chord(gate: Gate) -> Iterator[None]:
    started = []
    for group, roles in processes([]):
        if group.pool is not Pool.NONE:
            concurrency = PROCESSES if group.pool is Pool.PREFORK else THREADS
            command = ["bench.rivals.celery_chord", group.name, str(concurrency), *roles]
            with (gate.directory / f"rival-{group.name}.log").open("wb") as log:
                started.append(
                    subprocess.Popen(
                        [sys.executable, "-m", *command],
                        env={**gate.environment, "PYTHONPATH": str(Path(__file__).parents[1])},
                        stdout=log,
                        stderr=log,
                    )
                )
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(30)


SIDES = {"celery chord": _chord, "dwgate": _dwgate}


def _wait_for_consumers(broker: str) -> None:
    with kombu.Connection(broker) as connection:
        for queue in topology.TASK_QUEUES:
            wait_for(partial(_consumed, connection, queue.name), START_SECONDS)


def _consumed(connection: kombu.Connection, queue: str) -> bool:
    with suppress(connection.channel_errors), connection.channel() as channel:
        return bool(channel.queue_declare(queue, passive=True).consumer_count)
    return False


def _run(gate: Gate, broker: str, names: Sequence[str], count: int) -> Run:
    events = list(_begin(gate, itertools.islice(itertools.cycle(names), count)))
    store = redis.Redis.from_url(gate.environment["DWGATE_REDIS_URL"])
    cpu, reads, calls = usage.by_process(), _reads(store), _calls(gate)
    begin = time.time()
    _publish(broker, events)
    wanted = {event.message_id for event in events}
    wait_for(lambda: not gate.emulator.state()["processes"]["CHECKING"], RUN_SECONDS)
    spent = usage.difference(cpu, usage.by_process())
    posts = [post for post in gate.emulator.verdicts() if post["message_id"] in wanted]
    if len(posts) != count:
        raise RuntimeError(f"{len(posts)} posts for {count} events: see {gate.directory}")
    return Run(
        seconds=[post["at"] - begin for post in posts],
        cpu={part: seconds / count * 1000 for part, seconds in spent.items()},
        redis_reads=(_reads(store) - reads) / count,
        calls=(_calls(gate) - calls) / count,
    )


def _begin(gate: Gate, names: Iterable[str]) -> Iterator[Event]:
    for name in names:
        message_id, envelope, sample = gate.sample(name)
        gate.begin(message_id, sample)
        yield Event(
            message_id=message_id,
            event_code=sample.event_code,
            project_id=PROJECT_ID,
            operator=None,
            blocking=True,
            data=envelope["data"],
            received_at=time.time(),
        )


def _publish(broker: str, events: Iterable[Event]) -> None:
    """Put the events into the intake queue, with the messages that ingest makes."""
    with kombu.Connection(broker) as connection:
        producer = connection.Producer()
        for event in events:
            made = message.build([message.Item.of(event)])
            producer.publish(
                made.body,
                exchange=topology.EXCHANGE,
                routing_key=topology.ROUTING_EVENT,
                content_type=message.CONTENT_TYPE,
                content_encoding=message.CONTENT_ENCODING,
                headers=made.headers,
                correlation_id=made.task_id,
                delivery_mode=message.PERSISTENT,
            )


def _reads(store: redis.Redis) -> int:
    return int(store.info("stats")["total_reads_processed"])


def _calls(gate: Gate) -> int:
    return sum(gate.emulator.state()["calls"].values())


if __name__ == "__main__":
    main()
