"""Faults of a fleet: ingest killed, workers added and removed, an API that is down for long, repeated ids."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from common.ledger import State
from tests.conftest import Broker
from tests.support.engines import Valkey
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final

NAME = "commit-file-bad"
OPERATION = "UpdateIDEEventResult"


@pytest.fixture(scope="module")
def running(
    engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDwgate]:
    with fleet(engines[0].url, engines[1].url, tmp_path_factory.mktemp("fleet")) as gate:
        yield gate


@pytest.fixture
def gate(running: RunningDwgate) -> RunningDwgate:
    running.emulator.clear_faults()
    return running


def post_until_accepted(gate: RunningDwgate, event: dict[str, Any]) -> None:
    """Post an event again and again until it is accepted, as EventBridge does."""

    def is_accepted() -> bool:
        try:
            return gate.post(event).status_code == 200
        except httpx.TransportError:
            return False

    wait_for(is_accepted, 40, every=0.2)


def one_verdict(gate: RunningDwgate, message_id: str, name: str = NAME) -> None:
    assert gate.verdict(message_id, 60)["result"] == SAMPLES[name].expected
    record = wait_until_final(gate, message_id, 60)
    assert record.state is State.REPORTED
    [post] = gate.posts(message_id)
    assert post["at"] < record.deadline_at


def test_ingest_killed_in_a_burst_loses_and_doubles_nothing(gate: RunningDwgate) -> None:
    """Some of its requests are published and not answered: the sender posts them again."""
    events = [gate.sample(name) for name in sorted(SAMPLES) * 2]
    for message_id, _, sample in events:
        gate.start_process(message_id, sample)
    with ThreadPoolExecutor(16) as pool:
        posts = [pool.submit(post_until_accepted, gate, event) for _, event, _ in events]
        wait_for(lambda: sum(post.done() for post in posts) >= 8)
        assert gate.ingest
        gate.ingest.send_signal(signal.SIGKILL)
        gate.ingest.wait(10)
        gate.start_ingest(ready=False)
        for post in posts:
            post.result()
    for message_id, _, sample in events:
        one_verdict(gate, message_id, sample.name)


def test_another_body_under_the_same_id_changes_nothing(gate: RunningDwgate) -> None:
    """The first event counts; the second one is answered as its repetition."""
    message_id, event, sample = gate.sample("freeze-node-bad")
    gate.start_process(message_id, sample)
    assert gate.post(event).status_code == 200
    other = {**event, "data": {**event["data"], "nodeIds": [1], "operator": "another"}}
    assert gate.post(other).json()["status"] == "duplicate"
    one_verdict(gate, message_id, "freeze-node-bad")
    record = gate.ledger.get(message_id)
    assert record
    assert record.event.data["nodeIds"] == event["data"]["nodeIds"]


def test_workers_are_added_and_removed_under_load(gate: RunningDwgate) -> None:
    sent: list[tuple[str, str]] = []

    def send_all() -> None:
        for _ in range(3):
            sent.extend((gate.send(name), name) for name in sorted(SAMPLES))

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send_all)
        added = [gate.start_worker() for _ in range(2)]
        sending.result()
    for worker in added:
        worker.terminate()
    for worker in added:
        assert worker.wait(40) == 0
    for message_id, name in sent:
        one_verdict(gate, message_id, name)


@pytest.mark.faults
def test_the_operation_for_results_is_down_until_near_the_deadline(gate: RunningDwgate) -> None:
    """The verdict is posted as soon as DataWorks accepts it, still in time."""
    name = "run-file-bad"  # 20 seconds
    message_id, event, sample = gate.sample(name)
    gate.emulator.fault("error", action=OPERATION, message_id=message_id, times=None, status=500)
    gate.start_process(message_id, sample)
    gate.post(event)
    deadline_at = wait_for(lambda: gate.ledger.get(message_id)).deadline_at  # type: ignore[union-attr]
    wait_for(lambda: time.time() > deadline_at - 5, 30)
    gate.emulator.clear_faults()
    one_verdict(gate, message_id, name)


@pytest.mark.faults
def test_a_long_outage_of_the_api_causes_no_storm_of_retries(gate: RunningDwgate) -> None:
    """Each verdict is retried with a growing pause, and all are posted when the API is back."""
    events = [gate.sample(NAME) for _ in range(30)]
    before = gate.emulator.state()["calls"].get(OPERATION, 0)
    gate.emulator.fault("error", action=OPERATION, times=None, status=503)
    for message_id, event, sample in events:
        gate.start_process(message_id, sample)
        assert gate.post(event).status_code == 200
    began = time.monotonic()
    wait_for(lambda: time.monotonic() - began > 10, 12)
    calls = gate.emulator.state()["calls"][OPERATION] - before
    # Three attempts of a call within one of a report, and at most six reports in ten seconds.
    assert calls <= 18 * len(events)
    gate.emulator.clear_faults()
    for message_id, _, _ in events:
        one_verdict(gate, message_id)


@pytest.mark.faults
def test_a_requeue_of_many_posts_nothing_again(gate: RunningDwgate) -> None:
    sent = [gate.send(name) for name in sorted(SAMPLES)]
    for message_id in sent:
        wait_until_final(gate, message_id, 60)
    command = [sys.executable, "-m", "console.main", "requeue", *sent, "--reason", "a test", "--json"]
    done = subprocess.run(
        command,
        env=gate.environment,
        cwd=gate.directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) >= 1
    for message_id in sent:
        wait_for_run(gate, message_id, 2)
        assert len(gate.posts(message_id)) == 1


def wait_for_run(gate: RunningDwgate, message_id: str, run: int) -> None:
    def is_done() -> bool:
        record = gate.ledger.get(message_id)
        return bool(record and record.run == run and record.state is State.REPORTED)

    wait_for(is_done, 60)
