"""RabbitMQ that misbehaves without dying: events that it has are checked in time, none is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import orjson
import psutil
import pytest

from common.ledger import State
from common.topology import QueueName
from tests.conftest import Broker, built_in_policy
from tests.support.engines import RabbitMQ, Valkey
from tests.support.event_assertions import one_verdict, refused_in_time
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import RunningDwgate, fleet, wait_for, wait_until_final

ALARMS = {
    "memory": (("set_vm_memory_high_watermark", "0.00001"), ("set_vm_memory_high_watermark", "0.8")),
    "disk": (("set_disk_free_limit", "mem_relative", "1000.0"), ("set_disk_free_limit", "50MB")),
}
"""How each alarm is raised and ended."""

CHECKED = ("run-file-bad", "run-file-good", "commit-file-bad", "freeze-node-bad", "deploy-table-bad")


@contextmanager
def alarm(broker: Broker, kind: str = "memory") -> Iterator[None]:
    """Make RabbitMQ block publishers while the block runs."""
    assert isinstance(broker, RabbitMQ)
    raise_it, end_it = ALARMS[kind]
    broker._control(*raise_it)
    try:
        yield
    finally:
        broker._control(*end_it)


@pytest.fixture(scope="module")
def running(
    engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDwgate]:
    folder = tmp_path_factory.mktemp("broker")
    policy = folder / "policy.yaml"
    # An alarm lasts until its events are answered: a check that waits for its end never runs.
    policy.write_text(built_in_policy().replace("run-file: {deadline: 20", "run-file: {deadline: 60"))
    settings = {"DWGATE_POLICY_FILE": str(policy)}
    with fleet(engines[0].url, engines[1].url, folder, settings=settings) as gate:
        yield gate


@pytest.fixture
def gate(running: RunningDwgate, engines: tuple[Broker, Valkey]) -> Iterator[RunningDwgate]:
    """Both engines running, and one healthy worker."""
    for engine in engines:
        engine.restore()
    running.emulator.clear_faults()
    wait_for(lambda: running.ready() == 200, 40)
    yield running
    for engine in engines:
        engine.restore()


def processes(gate: RunningDwgate, group: str) -> list[psutil.Process]:
    children = psutil.Process(gate.workers[0].pid).children(recursive=True)
    return [child for child in children if child.name() == f"dwgate-{group}"]


@contextmanager
def stopped(found: list[psutil.Process]) -> Iterator[None]:
    """Freeze processes while the block runs."""
    for process in found:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in found:
            process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("kind", ["memory", pytest.param("disk", marks=pytest.mark.faults)])
def test_events_in_a_queue_are_checked_during_an_alarm(
    gate: RunningDwgate, engines: tuple[Broker, Valkey], kind: str
) -> None:
    """Celery 2689 and 10386, rabbitmq-server 23: `connection.blocked` for longer than a deadline."""
    with stopped(processes(gate, "io")):
        sent = [(gate.send(name), name) for name in CHECKED]
        raised = alarm(engines[0], kind)
        raised.__enter__()
    try:
        for message_id, name in sent:
            one_verdict(gate, message_id, name)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: refused_in_time(gate, "commit-file-bad"), range(8)))
    finally:
        raised.__exit__(None, None, None)
    wait_for(lambda: gate.post(gate.sample("commit-file-good")[1]).status_code == 200, 20, every=0.5)


def test_a_check_is_retried_during_an_alarm(gate: RunningDwgate, engines: tuple[Broker, Valkey]) -> None:
    """Celery 9259: a retry waits for a confirm without limit."""
    name = "freeze-node-bad"
    with stopped(processes(gate, "io")):
        message_id, event, sample = gate.sample(name)
        event["data"]["nodeIds"] = [700123103]  # its lookups are not cached by another test
        gate.emulator.fault("error", action="GetNodeChildren", times=3, status=503, code="ServiceUnavailable")
        gate.start_process(message_id, sample)
        assert gate.post(event).status_code == 200
        raised = alarm(engines[0])
        raised.__enter__()
    try:
        one_verdict(gate, message_id, name)
    finally:
        raised.__exit__(None, None, None)


def test_a_worker_that_starts_during_an_alarm_works(
    gate: RunningDwgate, engines: tuple[Broker, Valkey]
) -> None:
    """Celery 10386: its first event waits for a confirm, so the worker never becomes ready."""
    gate.workers[0].terminate()
    gate.workers[0].wait(40)
    sent = [(gate.send(name), name) for name in ("commit-file-bad", "freeze-node-good")]
    with alarm(engines[0]):
        gate.workers.clear()
        gate.start_worker()
        for message_id, name in sent:
            one_verdict(gate, message_id, name)


def test_an_event_is_requeued_during_an_alarm(gate: RunningDwgate, engines: tuple[Broker, Valkey]) -> None:
    message_id = gate.send("commit-file-bad")
    wait_until_final(gate, message_id, 40)
    with alarm(engines[0]):
        answer = subprocess.run(
            [sys.executable, "-m", "console.main", "requeue", message_id, "--reason", "r"],
            env=gate.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (answer.returncode, answer.stderr.count("\n")) == (0, 0), answer.stderr

        def is_run_again() -> bool:
            record = gate.ledger.get(message_id)
            return record is not None and record.run == 2 and record.state is State.REPORTED

        wait_for(is_run_again, 20)
    assert len(gate.posts(message_id)) == 1


def send_until(
    gate: RunningDwgate, has_ended: Callable[[], bool], names: tuple[str, ...] = ("commit-file-bad",)
) -> list[tuple[str, str]]:
    """Send events until `has_ended`; each is sent again until it is accepted. Return them."""
    sent: list[tuple[str, str]] = []
    while not has_ended():
        name = names[len(sent) % len(names)]
        message_id, event, sample = gate.sample(name)
        gate.start_process(message_id, sample)

        def is_accepted(event: object = event) -> bool:
            answer = gate.post(event)
            assert answer.status_code in (200, 503)
            assert answer.elapsed.total_seconds() < 2.5
            return answer.status_code == 200

        wait_for(is_accepted, 60, every=0.2)
        sent.append((message_id, name))
    return sent


@pytest.mark.faults
@pytest.mark.parametrize("seconds", [6, 30])
def test_a_broker_that_hangs_under_load(
    gate: RunningDwgate, engines: tuple[Broker, Valkey], seconds: int
) -> None:
    """F6: SIGSTOP, so that sockets stay open and nothing answers."""
    before = send_until(gate, ends_after(1))
    engines[0].stop_process()
    with ThreadPoolExecutor(1) as pool:
        during = pool.submit(send_until, gate, ends_after(seconds))
        wait_for(ends_after(seconds), seconds + 5)
        engines[0].resume()
        for message_id, name in (*before, *during.result(), *send_until(gate, ends_after(1))):
            one_verdict(gate, message_id, name)


def ends_after(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


@pytest.mark.faults
def test_a_broker_that_restarts_under_load(gate: RunningDwgate, engines: tuple[Broker, Valkey]) -> None:
    """F5: SIGKILL and restart; no event that was answered 200 is lost."""
    before = send_until(gate, ends_after(1))
    engines[0].kill()
    with ThreadPoolExecutor(1) as pool:
        restarted = pool.submit(engines[0].start)
        during = send_until(gate, restarted.done)
    for message_id, name in (*before, *during):
        one_verdict(gate, message_id, name)


@pytest.mark.faults
def test_a_password_that_changes_is_asked_again_without_haste(
    gate: RunningDwgate, engines: tuple[Broker, Valkey]
) -> None:
    """Celery's consumer began again at once: 678 warnings in a minute."""
    broker = engines[0]
    assert isinstance(broker, RabbitMQ)

    def refusals() -> dict[str, int]:
        lines = [line for line in gate.logs().splitlines() if '"broker_refused"' in line]
        parts = [orjson.loads(line)["component"] for line in lines]
        return {part: parts.count(part) for part in parts}

    broker._control("change_password", "guest", "changed")
    try:
        broker._control("close_all_connections", "--global", "for the test")
        wait_for(lambda: refusals().keys() >= {"ingest", "io", "checks"}, 30)
        refused_in_time(gate, "commit-file-bad")
    finally:
        broker._control("change_password", "guest", "guest")
    for message_id, name in send_until(gate, ends_after(1)):
        one_verdict(gate, message_id, name)
    assert max(refusals().values()) <= 3, "each waits 15 s after a refusal"


def test_queues_that_were_deleted_are_declared_again(
    gate: RunningDwgate, engines: tuple[Broker, Valkey]
) -> None:
    """F9: without a queue that takes it, an event is refused, never lost."""
    assert isinstance(engines[0], RabbitMQ)
    vhost = engines[0].url.rpartition("/")[2]
    with stopped(processes(gate, "io")):  # which would declare its queue again
        for queue in (QueueName.INTAKE, QueueName.ARRIVALS):
            engines[0]._control("delete_queue", "-p", vhost, TOPOLOGY[queue].name)
        refused_in_time(gate, "commit-file-bad")
        metrics = gate.http.get(f"{gate.url}/metrics").text
        assert 'dwgate_ingest_unavailable_total{cause="broker"}' in metrics
    for message_id, name in send_until(gate, ends_after(1)):
        one_verdict(gate, message_id, name)
