"""Anything may come out of a queue: no process ends, nothing waits behind it, what cannot be read is kept."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import psutil
import pytest
from kombu.connection import Connection

from common import topology
from common.events import SCHEMA, Event
from common.ledger import State
from common.topology import QueueName
from tests.conftest import Broker
from tests.support.emulator_process import PROJECT_ID
from tests.support.engines import Valkey
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final

SECRET = "secret_of_the_node"
TASKS = {
    QueueName.INTAKE: topology.TASK_INTAKE,
    QueueName.CHECKS_CPU: topology.TASK_CHECK,
    QueueName.CHECKS_SLOW: topology.TASK_CHECK,
    QueueName.CHECKS_IO: topology.TASK_CHECK,
    QueueName.REPORTS: topology.TASK_REPORT,
    QueueName.DUE: topology.TASK_INTAKE,
    QueueName.DEAD: topology.TASK_INTAKE,
}


@dataclass(frozen=True)
class Garbage:
    """A message that dwgate does not send; `headers` are added to those of the queue's task."""

    body: bytes = b"[[1], {}, {}]"
    headers: dict[str, Any] | None = None
    keeps_headers: bool = True
    content_type: str | None = "application/json"
    content_encoding: str | None = "utf-8"


GARBAGE = {
    "a number": Garbage(b"7"),
    "an empty body": Garbage(b""),
    "null": Garbage(b"null"),
    "an object": Garbage(b'{"args": 7, "kwargs": null}'),
    "text where an event is expected": Garbage(orjson.dumps([[SECRET], {}, {}])),
    "other arguments": Garbage(orjson.dumps([[], {"v": 1, "message_id": 7, "code": SECRET}, {}])),
    "further tasks": Garbage(orjson.dumps([[], {}, {"callbacks": [{"task": "dwgate.report"}]}])),
    "a pickle": Garbage(pickle.dumps(SECRET), content_type="application/x-python-serialize"),
    "an unknown content type": Garbage(content_type="application/x-unknown"),
    "no content type": Garbage(SECRET.encode(), content_type=None, content_encoding=None),
    "an unknown content encoding": Garbage(b"\xff\xfe\x00", content_encoding="x-unknown"),
    "no headers": Garbage(keeps_headers=False),
    "protocol 1": Garbage(
        orjson.dumps({"task": topology.TASK_CHECK, "id": "x", "args": 7, "kwargs": 7}), keeps_headers=False
    ),
    "an unknown task": Garbage(headers={"task": "dwgate.unknown"}),
    "a name that is too long": Garbage(headers={"task": SECRET * 1000}),
    "a task that is no text": Garbage(headers={"task": {"a": [1]}}),
    "an id that is no text": Garbage(headers={"id": {}}),
    "a time limit that is text": Garbage(headers={"timelimit": "soon"}),
    "a time in the far future": Garbage(headers={"eta": "9999-12-31T23:59:59+00:00"}),
    "unknown compression": Garbage(headers={"compression": "x-unknown"}),
    "broken compression": Garbage(headers={"compression": "application/x-gzip"}),
    "deep JSON": Garbage(b"[" * 100_000),
}


@pytest.fixture(scope="module", params=["rabbitmq", "redis"])
def gate(
    request: pytest.FixtureRequest,
    engines: tuple[Broker, Valkey],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningDwgate]:
    broker, valkey = engines
    valkey.clean()
    url = broker.url if request.param == "rabbitmq" else valkey.url
    with fleet(url, valkey.url, tmp_path_factory.mktemp("queues"), workers=0) as running:
        running.start_worker("--processes", "1")
        yield running


def publish(gate: RunningDwgate, queue: QueueName, item: Garbage) -> None:
    with Connection(gate.environment["DWGATE_BROKER_URL"]) as connection:
        producer: Any = connection.Producer()
        task = {"task": TASKS[queue], "id": "garbage"} if item.keeps_headers else {}
        producer.publish(
            item.body,
            exchange="",
            routing_key=TOPOLOGY[queue].name,
            headers={**task, **(item.headers or {})},
            content_type=item.content_type,
            content_encoding=item.content_encoding,
        )


def pids(gate: RunningDwgate) -> set[int]:
    """Return the processes of the worker and of their pools."""
    return {child.pid for child in psutil.Process(gate.workers[0].pid).children(recursive=True)}


def rejects(gate: RunningDwgate) -> list[dict[str, Any]]:
    return gate.ledger.rejects(1000)


def answered(gate: RunningDwgate, message_id: str, name: str) -> None:
    assert gate.verdict(message_id, 60)["result"] == SAMPLES[name].expected
    record = wait_until_final(gate, message_id)
    assert (record.state, record.pending_checks) == (State.REPORTED, ())
    assert record.reported_at
    assert record.reported_at < record.deadline_at
    assert len(gate.posts(message_id)) == 1


def test_what_cannot_be_read_ends_no_process_and_blocks_nothing(gate: RunningDwgate) -> None:
    """Sources: celery 7975, 2873, 4308; kombu 2421; taskiq-aio-pika 35."""
    answered(gate, gate.send("commit-file-bad"), "commit-file-bad")  # every process has started by then
    before = pids(gate)
    on_rabbitmq = gate.environment["DWGATE_BROKER_URL"].startswith("amqp")
    queues = [*TASKS] if on_rabbitmq else [*topology.TASK_QUEUES]
    for queue in queues:
        for item in GARBAGE.values():
            publish(gate, queue, item)
    if not on_rabbitmq:
        for queue in queues:
            for entry in (b"", b"7", b"null", b"no json", SECRET.encode(), b'{"properties": 7}'):
                gate.ledger.client.lpush(TOPOLOGY[queue].name, entry)
    sent = {gate.send(name): name for name in ("commit-file-bad", "freeze-node-bad", "run-file-good")}
    for message_id, name in sent.items():
        answered(gate, message_id, name)

    expected = len(queues) * (len(GARBAGE) if on_rabbitmq else len(GARBAGE) + 6)
    # A report token has no arguments: what is in its body otherwise is all that is wrong with it.
    wait_for(lambda: len(rejects(gate)) >= expected, 40)
    assert len(rejects(gate)) == expected
    assert all(entry["reason"] for entry in rejects(gate))
    assert pids(gate) == before
    assert SECRET not in gate.logs()
    assert "process_exited" not in gate.logs()


def test_a_message_from_a_newer_version_waits_and_does_not_loop(gate: RunningDwgate) -> None:
    """Source: rolling upgrades, celery 7975."""
    event = Event("newer-1", "commit-file", PROJECT_ID, None, True, {}, time.time()).to_json()
    count = len(rejects(gate))
    for change in ({"v": SCHEMA + 1}, {"event_code": "invented-in-2030"}):
        body = orjson.dumps([[{**event, **change}], {}, {}])
        publish(gate, QueueName.INTAKE, Garbage(body))
    publish(gate, QueueName.CHECKS_CPU, Garbage(orjson.dumps([[], {"v": SCHEMA + 1, "x": 1}, {}])))
    answered(gate, gate.send("commit-file-bad"), "commit-file-bad")
    wait_for(lambda: gate.logs().count("message_from_newer_version") >= 3)
    assert gate.logs().count("message_from_newer_version") <= 6
    assert len(rejects(gate)) == count
