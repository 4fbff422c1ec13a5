"""Processes that are stopped or killed: requests and tasks in progress are finished or done again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from common.ledger import State
from deploy.local import stack
from tests.conftest import Broker
from tests.support.engines import Valkey
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final


@pytest.fixture(scope="module")
def running(
    engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDwgate]:
    with fleet(engines[0].url, engines[1].url, tmp_path_factory.mktemp("shutdown")) as gate:
        yield gate


@pytest.fixture
def gate(running: RunningDwgate) -> RunningDwgate:
    running.emulator.clear_faults()
    return running


def one_verdict(gate: RunningDwgate, message_id: str, name: str) -> None:
    assert gate.verdict(message_id, 60)["result"] == SAMPLES[name].expected
    record = wait_until_final(gate, message_id, 60)
    assert record.state is State.REPORTED
    assert record.pending_checks == ()
    assert len(gate.posts(message_id)) == 1


def test_ingest_that_stops_in_a_burst_answers_what_it_has_taken(gate: RunningDwgate) -> None:
    """Uvicorn raises the signal again after its shutdown: the exit status was that of a crash."""
    assert gate.ingest
    ending = threading.Event()

    def send() -> list[str]:
        """Send events until ingest is gone; return those that it accepted."""
        accepted: list[str] = []
        while True:
            message_id, event, sample = gate.sample("freeze-node-good")
            gate.start_process(message_id, sample)
            try:
                answer = gate.post(event)
            except httpx.ConnectError:
                return accepted
            except httpx.TransportError:
                # The connection was idle when it was closed: the request had not been read.
                assert ending.is_set()
                return accepted
            assert answer.status_code == 200
            accepted.append(message_id)

    with ThreadPoolExecutor(8) as pool:
        senders = [pool.submit(send) for _ in range(8)]
        time.sleep(1)  # the burst itself
        ending.set()
        gate.ingest.terminate()
        assert gate.ingest.wait(15) == 0
        accepted = [message_id for sender in senders for message_id in sender.result()]
    gate.start_ingest()
    assert len(accepted) > 8
    for message_id in accepted:
        one_verdict(gate, message_id, "freeze-node-good")


def test_ingest_that_stops_answers_a_request_that_waits_for_the_broker(
    gate: RunningDwgate, engines: tuple[Broker, Valkey]
) -> None:
    assert gate.ingest
    engines[0].stop_process()
    try:
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(gate.post, gate.sample("freeze-node-good")[1])
            time.sleep(0.5)  # the request reaches ingest; it is answered after 2 s
            gate.ingest.terminate()
            assert answer.result().status_code == 503
        assert gate.ingest.wait(15) == 0
    finally:
        engines[0].resume()
    gate.start_ingest()


def test_a_worker_that_stops_finishes_or_returns_its_tasks(gate: RunningDwgate) -> None:
    """F33: one lookup ends within the grace period, another one hangs for longer than it."""
    gate.emulator.fault("hang", action="GetNodeChildren", times=1, seconds=60)
    hanging = gate.send("freeze-node-bad")
    wait_for(lambda: (r := gate.ledger.get(hanging)) and r.attempts.get("downstream-impact"))
    gate.emulator.fault("delay", action="GetIDEEventDetail", times=None, seconds=2)
    sent = [(gate.send("commit-file-bad"), "commit-file-bad") for _ in range(4)]
    worker = gate.workers.pop()
    children = psutil.Process(worker.pid).children(recursive=True)
    started = time.monotonic()
    worker.terminate()
    assert worker.wait(40) == 0
    assert time.monotonic() - started < 30
    assert psutil.wait_procs(children, timeout=5)[1] == []
    gate.start_worker()
    for message_id, name in (*sent, (hanging, "freeze-node-bad")):
        one_verdict(gate, message_id, name)


def pool_processes(gate: RunningDwgate, group: str) -> list[psutil.Process]:
    """Return the processes of a pool, without the one that consumes for them."""
    found = psutil.Process(gate.workers[0].pid).children(recursive=True)
    named = [process for process in found if process.name() == f"dwgate-{group}"]
    return [process for process in named if process.ppid() in {other.pid for other in named}]


def test_a_check_process_that_is_killed_for_memory_is_only_its_own_loss(gate: RunningDwgate) -> None:
    """F1: SIGKILL, as by the kernel when a cgroup is out of memory."""
    before = pool_processes(gate, "checks")
    consumer = psutil.Process(before[0].ppid())
    sent = [(gate.send("commit-file-bad"), "commit-file-bad") for _ in range(8)]
    before[0].kill()
    sent += [(gate.send("commit-file-bad"), "commit-file-bad") for _ in range(4)]
    for message_id, name in sent:
        one_verdict(gate, message_id, name)
    assert consumer.is_running()
    wait_for(lambda: len(pool_processes(gate, "checks")) == len(before), 20)


def test_pool_processes_end_with_their_consumer(gate: RunningDwgate) -> None:
    pool = pool_processes(gate, "checks")
    psutil.Process(pool[0].ppid()).kill()
    assert psutil.wait_procs(pool, timeout=10)[1] == []
    one_verdict(gate, gate.send("commit-file-bad"), "commit-file-bad")


@pytest.mark.parametrize("command", ["ingest", "worker"])
def test_a_process_that_cannot_connect_ends_on_sigterm(
    gate: RunningDwgate, tmp_path: Path, command: str
) -> None:
    """The broker and Redis are down: the process waits for them, and still ends."""
    closed = {"DWGATE_BROKER_URL": "amqp://u:p@127.0.0.1:1/", "DWGATE_REDIS_URL": "redis://127.0.0.1:1/0"}
    options = {"ingest": ["--port", "0"], "worker": ["--role", "intake"]}[command]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "console.main", command, *options],
            env={**gate.environment, **closed},
            cwd=tmp_path,
            stdout=log,
            stderr=log,
        )
    try:
        marks = {"ingest": "broker_connection_lost", "worker": "broker_unreachable"}
        wait_for(lambda: marks[command] in (tmp_path / "log").read_text(), 40)
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def test_nothing_remains_of_a_stack_that_is_killed(tmp_path: Path) -> None:
    """`dwgate up` that is ended with SIGKILL left 12 processes, which the next one met."""
    with (tmp_path / "log").open("wb") as log:
        up = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "console.main",
                "up",
                "--port=0",
                "--console-port=0",
                "--flower-port=0",
                "--data=data",
            ],
            env=stack._inherited(),
            cwd=tmp_path,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: "Ctrl-C" in (tmp_path / "log").read_text(), 90)
        children = psutil.Process(up.pid).children(recursive=True)
        assert {"emulator", "flower", "ingest", "worker"} <= {word for c in children for word in c.cmdline()}
        os.kill(up.pid, signal.SIGKILL)
        assert psutil.wait_procs(children, timeout=40)[1] == []
    finally:
        up.kill()
        up.wait()
