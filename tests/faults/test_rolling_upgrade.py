"""Two versions of dwgate at the same time: what one has written, the other one finishes.

The record of the earlier version is the form that the first ledger wrote: without `watch`, and with plans and
findings that lack later fields. That of a newer version has fields that this one does not know.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from kombu.connection import Connection

from common import topology
from common.ledger import EventRecord, State
from common.topology import QueueName
from tests.conftest import Broker
from tests.support.emulator_process import OPERATOR, PROJECT_ID
from tests.support.engines import Valkey
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import RunningDwgate, fleet, wait_until_final

COUNT = 20
SAMPLE = "freeze-node-bad"
SECONDS = 7.0
MARGIN = 3.0


@pytest.fixture(scope="module")
def gate(engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDwgate]:
    with fleet(engines[0].url, engines[1].url, tmp_path_factory.mktemp("upgrade")) as running:
        yield running


def publish(
    gate: RunningDwgate, queue: QueueName, task: str, args: list[Any], kwargs: dict[str, Any]
) -> None:
    with Connection(gate.environment["DWGATE_BROKER_URL"]) as connection:
        connection.Producer().publish(
            orjson.dumps([args, kwargs, {}]),
            exchange="",
            routing_key=TOPOLOGY[queue].name,
            headers={"task": task, "id": "of-another-version"},
            content_type="application/json",
            content_encoding="utf-8",
        )


def event_of(gate: RunningDwgate, received_at: float, **more: Any) -> dict[str, Any]:
    """Start an operation, and return its event as the first version wrote it."""
    message_id, event, sample = gate.sample(SAMPLE)
    gate.start_process(message_id, sample)
    return {
        "v": 1,
        "message_id": message_id,
        "event_code": sample.event_code,
        "project_id": PROJECT_ID,
        "operator": OPERATOR,
        "blocking": True,
        "data": event["data"],
        "received_at": received_at,
        "recovered": False,
        **more,
    }


def store(
    gate: RunningDwgate, check: dict[str, Any], finding: dict[str, Any], **more: Any
) -> tuple[str, float]:
    """Write the record of an event of which one check has ended; return its message id and the deadline."""
    now = time.time()
    event = event_of(gate, now)
    message_id = event["message_id"]
    milliseconds = round(now * 1000)
    checks = [
        {"name": name, "mode": "enforce", "on_timeout": "WARN", "on_error": "WARN", "options": {}, **check}
        for name in ("release-window", "downstream-impact")
    ]
    plan = {"checks": checks, "verdict": "OK", "language": "en", "policy": "0123456789ab"}
    found = {"rule": "release-window", "severity": "block", "message": "releases are closed", **finding}
    fields: dict[Any, Any] = {
        "event": orjson.dumps(event),
        "state": "checking",
        "run": 1,
        "deliveries": 1,
        "received": milliseconds,
        "admitted": milliseconds,
        "deadline": milliseconds + round(SECONDS * 1000),
        "plan": orjson.dumps(plan),
        "planned": 2,
        "done": 1,
        "o:release-window": orjson.dumps({"kind": "findings", "findings": [found], "detail": None}),
        "timeline": f"{milliseconds} admitted \n{milliseconds} planned 2 checks\n",
        **more,
    }
    client, key = gate.ledger.client, gate.ledger.key
    client.hset(key(f"event:{message_id}"), mapping=fields)
    for index in ("all", "state:checking", f"project:{PROJECT_ID}"):
        client.zadd(key(index), {message_id: milliseconds})
    client.zadd(key("deadlines"), {message_id: milliseconds + round((SECONDS - MARGIN) * 1000)})
    return message_id, now + SECONDS


def answered(gate: RunningDwgate, message_id: str) -> EventRecord:
    gate.verdict(message_id, 40)
    record = wait_until_final(gate, message_id)
    assert record.state is State.REPORTED, record.timeline
    [post] = gate.posts(message_id)
    assert post["result"] == "FAIL"
    assert post["at"] < record.deadline_at, record.timeline
    return record


EARLIER: tuple[dict[str, Any], ...] = ({}, {}, {})
NEWER: tuple[dict[str, Any], ...] = (
    {"invented": 1},
    {"invented": {"a": [1]}},
    {"invented": "7", "x:invented": "{}"},
)


@pytest.mark.parametrize("version", [EARLIER, NEWER], ids=["earlier", "newer"])
def test_a_record_of_another_version_is_finished(
    gate: RunningDwgate, version: tuple[dict[str, Any], ...]
) -> None:
    """With the message of its other check, or by the watchdog if that was lost."""
    check, finding, fields = version
    sent, lost = [], []
    for _ in range(COUNT):
        message_id, deadline = store(gate, check, finding, **fields)
        arguments = {"v": 1, "message_id": message_id, "run": 1, "checks": ["downstream-impact"]}
        publish(gate, QueueName.CHECKS_IO, topology.TASK_CHECK, [], {**arguments, "until": deadline, **check})
        sent.append(message_id)
        lost.append(store(gate, check, finding, **fields)[0])
    for message_id in sent:
        assert answered(gate, message_id).pending_checks == ()
    for message_id in lost:
        assert answered(gate, message_id).pending_checks == ("downstream-impact",)


@pytest.mark.parametrize("more", [{}, {"invented": [1]}], ids=["earlier", "newer"])
def test_an_event_of_another_version_is_checked(gate: RunningDwgate, more: dict[str, Any]) -> None:
    """The schema is the same; a newer version may have added a field."""
    events = [event_of(gate, time.time(), **more) for _ in range(COUNT)]
    for event in events:
        publish(gate, QueueName.INTAKE, topology.TASK_INTAKE, [event], {})
    for event in events:
        assert answered(gate, event["message_id"]).pending_checks == ()


def test_an_event_is_written_as_the_first_version_reads_it(gate: RunningDwgate) -> None:
    """It requires exactly these fields, and schema 1."""
    message_id = gate.send(SAMPLE)
    record = answered(gate, message_id)
    stored = gate.ledger.client.hget(gate.ledger.key(f"event:{message_id}"), "event")
    assert isinstance(stored, bytes)
    written = orjson.loads(stored)
    assert written.keys() == event_of(gate, record.event.received_at).keys()
    assert written["v"] == 1
