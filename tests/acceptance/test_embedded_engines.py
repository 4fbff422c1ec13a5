"""dwgate with one Valkey as broker and ledger: it recovers from crashes and loses nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from common.ledger import State
from tests.support.engines import Valkey
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final


@pytest.fixture
def gate(valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDwgate]:
    valkey.restore()
    valkey.clean()
    with fleet(valkey.url, valkey.url, tmp_path_factory.mktemp("embedded")) as running:
        client = running.ledger.client
        client.config_set(
            "appendfsync", "always"
        )  # the shipped setting; without it a crash may lose a second of data
        yield running
        valkey.restore()
        client.config_set("appendfsync", "everysec")


def one_verdict(gate: RunningDwgate, message_id: str, name: str) -> None:
    assert gate.verdict(message_id, 60)["result"] == SAMPLES[name].expected
    record = wait_until_final(gate, message_id, 30)
    assert record.state is State.REPORTED
    posts = gate.posts(message_id)
    assert len(posts) == 1
    assert posts[0]["at"] < record.deadline_at


@pytest.mark.faults  # 40 seconds: the visibility timeout before the killed worker's message is redelivered
def test_a_worker_killed_during_a_check(gate: RunningDwgate) -> None:
    name = "freeze-node-bad"
    gate.emulator.fault("hang", action="GetNodeChildren", times=1, seconds=4)
    message_id = gate.send(name)
    wait_for(lambda: (r := gate.ledger.get(message_id)) and r.attempts.get("downstream-impact"))
    gate.kill(gate.workers[0])
    gate.start_worker()
    one_verdict(gate, message_id, name)


def test_the_engine_dies_and_comes_back(gate: RunningDwgate, valkey: Valkey) -> None:
    name = "commit-file-bad"
    gate.emulator.fault("delay", action="GetIDEEventDetail", times=None, seconds=1)
    sent = [gate.send(name) for _ in range(4)]
    valkey.kill()
    message_id, event, sample = gate.sample(name)
    gate.start_process(message_id, sample)
    assert gate.post(event).status_code == 503
    valkey.start()
    wait_for(lambda: gate.post(event).status_code == 200, 30, every=0.5)
    for known in [
        *sent,
        message_id,
    ]:  # an event that a worker was just receiving comes back from its parked copy
        one_verdict(gate, known, name)
