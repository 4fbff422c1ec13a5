"""What an earlier version left in Redis and in the queues is finished by this one.

`docs/release.md` says how a version is recorded.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from kombu.connection import Connection

from common.ledger import State
from common.topology import QueueName
from tests.conftest import Broker, built_in_policy
from tests.support.engines import Valkey
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final
from tests.support.version_recording import FOLDER, RecordedEvent, Recording

pytestmark = pytest.mark.timeout(300)

FILES = sorted(FOLDER.glob("*.json"))
LOSSES = (
    "message_refused",
    "message_dead_lettered",
    "planning_failed",
    "parked_event_expired",
    "due_event_failed",
)
"""Log events about what could not be read."""
ANSWER_SECONDS = 90
"""On Redis, what a killed worker had taken returns after 30 seconds."""


@dataclass(frozen=True)
class Upgraded:
    """This version, started on what the earlier one left."""

    gate: RunningDwgate
    recording: Recording
    broker_url: str
    is_rabbitmq: bool

    @property
    def unfinished(self) -> list[RecordedEvent]:
        """The events that the earlier version had not finished."""
        return [event for event in self.recording.events if event.state not in ("reported", "dead")]

    @property
    def finished(self) -> list[RecordedEvent]:
        """The events that the earlier version had answered."""
        return [event for event in self.recording.events if event.state == "reported"]

    def command(self, *arguments: str) -> str:
        """Run a command of this version; return what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "console.main", *arguments],
            env=self.gate.environment,
            cwd=self.gate.directory,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        return done.stdout


def _parameter(name: str) -> object:
    # On Redis the copies of lost messages are waited for.
    return pytest.param(name, marks=pytest.mark.faults) if name.endswith("-redis.json") else name


@pytest.fixture(scope="module", params=[_parameter(file.name) for file in FILES])
def upgraded(
    request: pytest.FixtureRequest,
    engines: tuple[Broker, Valkey],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Upgraded]:
    broker, valkey = engines
    valkey.clean()
    recording = Recording.load(FOLDER / request.param).moved_to(time.time())
    is_rabbitmq = bool(recording.objects)
    url = broker.fresh_url() if is_rabbitmq else valkey.url
    folder = tmp_path_factory.mktemp("upgraded")
    # A busy machine may take a minute to start.
    policy = folder / "policy.yaml"
    policy.write_text(re.sub(r"deadline: \d+", "deadline: 300", built_in_policy()))
    with fleet(url, valkey.url, folder, workers=0, settings={"DWGATE_POLICY_FILE": str(policy)}) as gate:
        recording.write_redis(valkey.url)
        if is_rabbitmq:
            recording.publish(url)
        state = Upgraded(gate, recording, url, is_rabbitmq)
        for event in state.unfinished:
            gate.start_process(event.message_id, SAMPLES[event.sample])
        gate.start_worker()
        yield state


def test_a_recording_has_an_event_in_every_state() -> None:
    """What it lacks is not tested below."""
    assert FILES
    for file in FILES:
        recording = Recording.load(file)
        states = {event.state for event in recording.events}
        assert states >= {None, *(state.value for state in State if state is not State.IGNORED)}, file
        scenes = {event.scene for event in recording.events}
        assert scenes == {
            "dead",
            "finished",
            "report",
            "lost-post",
            "checks",
            "slow-check",
            "plan",
            "arrival",
        }


def test_every_unfinished_event_gets_one_verdict_in_time(upgraded: Upgraded) -> None:
    gate = upgraded.gate
    for event in upgraded.unfinished:
        expected = SAMPLES[event.sample].expected
        assert gate.verdict(event.message_id, ANSWER_SECONDS)["result"] == expected, event
        record = wait_until_final(gate, event.message_id)
        assert record.state is State.REPORTED, (event, record.timeline)
        assert record.pending_checks == (), (event, record.timeline)
        [post] = gate.posts(event.message_id)
        assert post["at"] < record.deadline_at, (event, record.timeline)
        if event.frozen:
            assert post["result"] == event.frozen, event


def test_what_was_answered_stays_as_it_was_and_can_be_shown(upgraded: Upgraded) -> None:
    reruns = []
    for event in upgraded.finished:
        record = upgraded.gate.ledger.get(event.message_id)
        assert record is not None
        assert record.state is State.REPORTED
        assert record.accepted_verdict is not None
        assert record.accepted_verdict.result == event.result
        assert upgraded.gate.posts(event.message_id) == []
        if record.run > 1:
            reruns.append(event.message_id)
    [rerun] = reruns
    shown = json.loads(upgraded.command("events", "show", rerun, "--json"))
    assert [run["run"] for run in shown["runs"]] == [1, 2]
    assert not (shown["rerun"] or {}).get("is_different")
    listed = json.loads(upgraded.command("events", "list", "--limit", "100", "--json"))["events"]
    assert {raw["message_id"] for raw in listed} >= {
        event.message_id for event in upgraded.recording.events if event.state
    }


def test_what_people_and_senders_did_is_still_known(upgraded: Upgraded) -> None:
    trail = [json.loads(line) for line in upgraded.command("audit", "--json").splitlines()]
    assert {(entry["action"], entry.get("reason")) for entry in trail} >= {("requeue", "recorded")}
    assert "aliyunaccountid is missing" in upgraded.command("events", "rejects")
    ledger = upgraded.gate.ledger
    name = ledger.key("fingerprint-key")
    assert ledger.client.get(name) == upgraded.recording.value(name)


def test_a_dead_event_can_be_requeued(upgraded: Upgraded) -> None:
    [dead] = upgraded.recording.of_scene("dead")
    gate = upgraded.gate
    assert (record := gate.ledger.get(dead.message_id))
    assert record.state is State.DEAD
    gate.start_process(dead.message_id, SAMPLES[dead.sample])
    upgraded.command("requeue", dead.message_id, "--reason", "upgraded")
    assert gate.verdict(dead.message_id, ANSWER_SECONDS)["result"] == dead.frozen
    assert wait_until_final(gate, dead.message_id).run == 2


def test_nothing_is_left_in_the_queues_and_nothing_was_refused(upgraded: Upgraded) -> None:
    gate = upgraded.gate
    for event in upgraded.unfinished:
        wait_until_final(gate, event.message_id, ANSWER_SECONDS)
    wait_for(lambda: not gate.ledger.reports.has_waiting() and not gate.ledger.plans.has_waiting(), 30)
    if upgraded.is_rabbitmq:
        names = [TOPOLOGY[name].name for name in QueueName]
        wait_for(lambda: not any(_messages(upgraded.broker_url, names)), 60)
    rejects = gate.ledger.key("rejects")
    assert gate.ledger.client.llen(rejects) == len(upgraded.recording.value(rejects))
    assert not [name for name in LOSSES if f'"{name}"' in gate.logs()]


def _messages(url: str, names: list[str]) -> list[int]:
    """Return the number of messages that wait in each queue."""
    with Connection(url) as connection, connection.channel() as channel:
        return [channel.queue_declare(name, passive=True).message_count for name in names]
