"""One event of a message ends its process each time: the others are checked, the policy answers it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from kombu.connection import Connection

from common.events import Event
from common.ledger import State
from common.topology import QueueName
from common.verdicts import OutcomeKind
from ingest.celery_message import CONTENT_ENCODING, CONTENT_TYPE, SerializedEvent, build_message
from tests.conftest import Broker
from tests.support.emulator_process import PROJECT_ID
from tests.support.engines import Valkey
from tests.support.plugin_package import write_plugin
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_until_final

CHECKS = '''
import os, signal
from workers.checks.api import Runs
from workers.checks.registry import check

@check("ends-process", runs=Runs.INLINE)
def ends_process(context):
    """Kill the process that plans a certain event."""
    if context.event.data.get("poison"):
        os.kill(os.getpid(), signal.SIGKILL)
    return []
'''

POLICY = """
version: 1
points:
  freeze-node: {deadline: 90, checks: {ends-process: {}, downstream-impact: {}}}
"""


def publish_together(gate: RunningDwgate, events: list[Event]) -> None:
    """Publish events in one message, as ingest does under load."""
    message = build_message([SerializedEvent.from_event(event) for event in events])
    with Connection(gate.environment["DWGATE_BROKER_URL"]) as connection:
        producer: Any = connection.Producer()
        producer.publish(
            message.body,
            exchange="",
            routing_key=TOPOLOGY[QueueName.INTAKE].name,
            headers=message.headers,
            content_type=CONTENT_TYPE,
            content_encoding=CONTENT_ENCODING,
        )


def answered(gate: RunningDwgate, message_id: str, name: str) -> None:
    assert gate.verdict(message_id, 60)["result"] == SAMPLES[name].expected
    record = wait_until_final(gate, message_id)
    assert (record.state, record.pending_checks) == (State.REPORTED, ())
    assert record.reported_at
    assert record.reported_at < record.deadline_at
    assert len(gate.posts(message_id)) == 1


def test_an_event_that_ends_its_process_harms_no_other_of_its_message(
    engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Source: rabbitmq-website 2207 (a poison message and the others of its delivery)."""
    broker, valkey = engines
    valkey.clean()
    folder = tmp_path_factory.mktemp("poison")
    package = write_plugin(folder / "package", "poison_checks", CHECKS, group="dwgate.checks")
    (folder / "policy.yaml").write_text(POLICY)
    settings = {"DWGATE_POLICY_FILE": str(folder / "policy.yaml"), "PYTHONPATH": str(package)}
    with fleet(broker.url, valkey.url, folder, workers=0, settings=settings) as gate:
        for _ in range(2):
            gate.start_worker("--processes", "1")
        names = {
            f"innocent-{number}": f"freeze-node-{'bad' if number % 2 else 'good'}" for number in range(16)
        }
        events = []
        for message_id, name in {**names, "poison": "freeze-node-good"}.items():
            sample = SAMPLES[name]
            gate.start_process(message_id, sample)
            data = {**sample.data, "poison": message_id == "poison"}
            events.append(Event(message_id, sample.event_code, PROJECT_ID, None, True, data, time.time()))
        events.insert(5, events.pop())
        publish_together(gate, events)

        for message_id, name in names.items():
            answered(gate, message_id, name)
        assert gate.verdict("poison", 60)["result"] == "FAIL"
        record = wait_until_final(gate, "poison")
        assert record.outcomes["ends-process"].kind is OutcomeKind.UNREVIEWABLE
        assert len(gate.posts("poison")) == 1
        assert gate.logs().count("process_exited") <= 3
        assert gate.ledger.rejects() == []
