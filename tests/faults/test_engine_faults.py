"""Engines and workers that crash, hang or recover: no event is lost, no verdict posted twice."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from common.events import Event
from common.ledger import State
from tests.conftest import Broker
from tests.support.emulator_process import PROJECT_ID
from tests.support.engines import Valkey
from tests.support.event_assertions import one_verdict, refused_in_time
from tests.support.plans import plan_of
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final

NAME = "commit-file-bad"
OPERATION = "UpdateIDEEventResult"


@pytest.fixture(scope="module")
def running(
    engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDwgate]:
    with fleet(engines[0].url, engines[1].url, tmp_path_factory.mktemp("engines"), workers=0) as gate:
        yield gate


@pytest.fixture
def gate(running: RunningDwgate, engines: tuple[Broker, Valkey]) -> Iterator[RunningDwgate]:
    """Both engines and ingest running, and one healthy worker."""
    for engine in engines:
        engine.restore()
    running.emulator.clear_faults()
    live = [worker for worker in running.workers if worker.poll() is None]
    for worker in live[1:]:
        running.kill(worker)
    running.workers[:] = live[:1]
    if not live:
        running.start_worker()
    wait_for(lambda: running.ready() == 200, 40)  # ingest has noticed that they run again
    yield running
    for engine in engines:
        engine.restore()


def freeze(gate: RunningDwgate, node: int) -> str:
    """Freeze a node that no sample uses, so that its lookups are not cached by an earlier test."""
    message_id, event, sample = gate.sample("freeze-node-bad")
    event["data"]["nodeIds"] = [node]
    gate.start_process(message_id, sample)
    assert gate.post(event).status_code == 200
    return message_id


def process(gate: RunningDwgate, group: str) -> psutil.Process | None:
    """Return the process of `group` of the first worker; None while there is none."""
    try:
        children = psutil.Process(gate.workers[0].pid).children(recursive=True)
        # The processes of a pool have the name of their parent, which is the oldest.
        named = [child for child in children if child.name() == f"dwgate-{group}"]
        return min(named, key=lambda child: child.create_time(), default=None)
    except psutil.NoSuchProcess:
        return None


@pytest.mark.faults
def test_a_broker_that_dies_and_comes_back(gate: RunningDwgate, engines: tuple[Broker, Valkey]) -> None:
    message_id, event, sample = gate.sample(NAME)
    gate.start_process(message_id, sample)
    engines[0].kill()
    refused_in_time(gate, NAME)
    engines[0].start()
    wait_for(lambda: gate.post(event).status_code == 200, 40, every=0.5)
    one_verdict(gate, message_id, NAME)


def test_a_broker_that_hangs_and_resumes(gate: RunningDwgate, engines: tuple[Broker, Valkey]) -> None:
    message_id, event, sample = gate.sample(NAME)
    gate.start_process(message_id, sample)
    engines[0].stop_process()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: refused_in_time(gate, NAME), range(8)))
    engines[0].resume()
    wait_for(lambda: gate.post(event).status_code == 200, 40, every=0.5)
    one_verdict(gate, message_id, NAME)


def test_events_under_way_survive_the_death_of_the_broker(
    gate: RunningDwgate, engines: tuple[Broker, Valkey]
) -> None:
    gate.emulator.fault("delay", action="GetIDEEventDetail", times=None, seconds=1)
    sent = [gate.send(NAME) for _ in range(8)]
    engines[0].kill()
    engines[0].start()
    for message_id in sent:
        one_verdict(gate, message_id, NAME)


def test_a_report_is_posted_while_the_broker_is_down(
    gate: RunningDwgate, engines: tuple[Broker, Valkey]
) -> None:
    # Complete and enqueued with the last outcome, but its token cannot be published.
    message_id, _, sample = gate.sample("freeze-node-good")
    gate.start_process(message_id, sample)
    engines[0].kill()
    now = time.time()
    event = Event(message_id, sample.event_code, PROJECT_ID, None, True, sample.data, now)
    gate.ledger.admit(event, now + 60, now + 50)
    assert gate.ledger.save_plan(message_id, 1, plan_of(), None, {})
    assert gate.ledger.record_outcomes(message_id, 1, {}).is_complete
    assert gate.verdict(message_id, 40)["result"] == "OK"
    assert wait_until_final(gate, message_id).verdict is not None
    assert time.time() < now + 50, "before the watchdog looks at its deadline"


def test_events_under_way_survive_a_restart_of_redis(
    gate: RunningDwgate, engines: tuple[Broker, Valkey]
) -> None:
    gate.emulator.fault("delay", action="GetIDEEventDetail", times=None, seconds=1)
    sent = [gate.send(NAME) for _ in range(8)]
    engines[1].kill()
    sent += [gate.send(NAME) for _ in range(4)]
    engines[1].start()
    for message_id in sent:
        one_verdict(gate, message_id, NAME)


def test_what_redis_forgot_comes_again_from_the_broker(
    gate: RunningDwgate, engines: tuple[Broker, Valkey]
) -> None:
    # The event is planned, its intake acknowledged and its check running when the ledger loses all data.
    gate.emulator.fault("hang", action="GetNodeChildren", times=None, seconds=4)
    message_id = freeze(gate, 700123101)
    wait_for(lambda: (r := gate.ledger.get(message_id)) and r.attempts.get("downstream-impact"))
    gate.kill(gate.workers[0])
    gate.emulator.clear_faults()
    engines[1].clean()
    gate.start_worker()

    assert gate.verdict(message_id, 90)["result"] == "FAIL"
    assert wait_until_final(gate, message_id, 60).state is State.REPORTED
    assert len(gate.posts(message_id)) == 1


def test_a_worker_killed_during_a_check(gate: RunningDwgate) -> None:
    gate.emulator.fault("hang", action="GetNodeChildren", times=None, seconds=4)
    message_id = freeze(gate, 700123102)
    wait_for(lambda: (r := gate.ledger.get(message_id)) and r.attempts.get("downstream-impact"))
    gate.kill(gate.workers[0])
    gate.emulator.clear_faults()
    gate.start_worker()
    one_verdict(gate, message_id, "freeze-node-bad")


def test_a_worker_killed_between_post_and_acknowledgement(gate: RunningDwgate) -> None:
    # Events of an earlier test may come again from the broker: the fault is for this one.
    message_id, event, sample = gate.sample(NAME)
    gate.emulator.fault("hang", action=OPERATION, message_id=message_id, times=1, seconds=4)
    gate.start_process(message_id, sample)
    assert gate.post(event).status_code == 200
    gate.verdict(message_id)  # DataWorks has the verdict; the worker still waits for the reply
    assert (record := gate.ledger.get(message_id))
    assert record.state is State.DECIDED
    gate.kill(gate.workers[0])
    gate.start_worker()
    one_verdict(gate, message_id, NAME)


@pytest.mark.parametrize("group", ["checks", "slow", "io", "reporter", "watchdog", "recovery"])
def test_a_process_of_a_worker_that_is_killed_is_started_again(gate: RunningDwgate, group: str) -> None:
    before = process(gate, group)
    assert before
    before.send_signal(signal.SIGKILL)
    message_id = gate.send(NAME)
    one_verdict(gate, message_id, NAME)
    wait_for(lambda: (now := process(gate, group)) and now.pid != before.pid, 40)


def test_one_of_two_workers_dies_and_the_other_continues(gate: RunningDwgate) -> None:
    gate.start_worker()
    sent = [gate.send(name) for name in sorted(SAMPLES)]
    gate.kill(gate.workers[0])
    for message_id, name in zip(sent, sorted(SAMPLES), strict=True):
        one_verdict(gate, message_id, name)


def test_a_terminated_worker_loses_no_event_and_leaves_no_process(gate: RunningDwgate) -> None:
    worker = gate.workers[0]
    gate.emulator.fault("delay", action="GetIDEEventDetail", times=None, seconds=1)
    sent = [gate.send(NAME) for _ in range(4)]
    children = psutil.Process(worker.pid).children(recursive=True)
    worker.terminate()
    assert worker.wait(40) == 0
    wait_for(lambda: not [child for child in children if child.is_running()])
    gate.start_worker()
    for message_id in sent:
        one_verdict(gate, message_id, NAME)


def test_events_wait_for_workers_that_are_not_there_yet(gate: RunningDwgate) -> None:
    gate.kill(gate.workers[0])
    sent = [gate.send(NAME) for _ in range(3)]
    gate.start_worker()
    for message_id in sent:
        one_verdict(gate, message_id, NAME)
