"""The systems compared by `bench.pipeline`: dwgate's workers behind ingest, a Celery chord behind FastAPI."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path

import httpx
import kombu

from bench.baselines import celery_chord as rival
from tests.support.engines import free_port
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import RunningDwgate, wait_for
from workers.process.roles import Pool

THREADS, PROCESSES = 32, 2
START_SECONDS = 60.0


@contextmanager
def dwgate(gate: RunningDwgate) -> Iterator[None]:
    """Run one `dwgate worker`; ingest is already running."""
    gate.start_worker("--threads", str(THREADS), "--processes", str(PROCESSES))
    _wait_for_consumers(gate.environment["DWGATE_BROKER_URL"], (queue.name for queue in TOPOLOGY.task_queues))
    yield


@contextmanager
def celery_chord(gate: RunningDwgate) -> Iterator[None]:
    """Run FastAPI instead of ingest, and the chord's workers: one per pool of `dwgate worker`."""
    if gate.ingest:
        gate.ingest.terminate()
    port = free_port()
    gate.url = f"http://127.0.0.1:{port}"
    front = ["uvicorn", "bench.baselines.fastapi_send_task:app", "--no-access-log", "--port", str(port)]
    started = [_start(gate, "rival-front", front)]
    for name, (pool, _) in rival.PROCESSES.items():
        concurrency = PROCESSES if pool is Pool.PREFORK else THREADS
        command = ["bench.baselines.celery_chord", name, str(concurrency)]
        started.append(_start(gate, f"rival-{name}", command))
    try:
        wait_for(partial(_answers, gate), START_SECONDS)
        consumed = [queue for name in rival.PROCESSES for queue in rival.served_queues(name, TOPOLOGY)]
        _wait_for_consumers(gate.environment["DWGATE_BROKER_URL"], consumed)
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(30)


SYSTEMS: dict[str, Callable[[RunningDwgate], AbstractContextManager[None]]] = {
    "celery chord": celery_chord,
    "dwgate": dwgate,
}


def _start(gate: RunningDwgate, name: str, command: list[str]) -> subprocess.Popen[bytes]:
    with (gate.directory / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            env={**gate.environment, "PYTHONPATH": str(Path(__file__).parents[1])},
            stdout=log,
            stderr=log,
        )


def _answers(gate: RunningDwgate) -> bool:
    """Whether the front end is up: it rejects an unsigned request."""
    with suppress(httpx.TransportError):
        return gate.post_raw(b"", {}).status_code == httpx.codes.UNAUTHORIZED
    return False


def _wait_for_consumers(broker: str, queues: Iterable[str]) -> None:
    with kombu.Connection(broker) as connection:
        for queue in queues:
            wait_for(partial(_consumed, connection, queue), START_SECONDS)


def _consumed(connection: kombu.Connection, queue: str) -> bool:
    with suppress(connection.channel_errors), connection.channel() as channel:
        return bool(channel.queue_declare(queue, passive=True).consumer_count)
    return False
