"""`dwgate doctor`, `status` and `requeue` with a real RabbitMQ."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection

from common.events import Event
from common.ledger import Ledger, State, connect
from common.topology import QueueName
from tests.support.emulator_process import EXTENSION_CODE
from tests.support.measured import MEASURED
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import wait_for
from tests.support.source_queue import SourceQueue
from workers.broker import kombu_queues

DWGATE = Path(sys.executable).with_name("dwgate")
QUEUES = {name: f"queue {TOPOLOGY[name].name}" for name in QueueName}


def environment(broker_url: str, redis_url: str) -> dict[str, str]:
    return {
        **MEASURED,
        "PATH": "/usr/bin:/bin",
        "DWGATE_BROKER_URL": broker_url,
        "DWGATE_REDIS_URL": redis_url,
        "DWGATE_EXTENSION_CODE": EXTENSION_CODE,
        "DWGATE_REGION": "cn-shanghai",
        "DWGATE_OPENAPI_ENDPOINT": "127.0.0.1:1",
        "DWGATE_OPENAPI_PROTOCOL": "http",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "local",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "made-up",
    }


def dwgate(settings: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DWGATE, *arguments], env=settings, cwd="/", capture_output=True, text=True, timeout=60, check=False
    )


def doctor(settings: dict[str, str], *options: str) -> dict[str, dict[str, str]]:
    answer = dwgate(settings, "doctor", "--json", *options)
    assert answer.stderr == ""
    return {sight["what"]: sight for sight in json.loads(answer.stdout)["diagnoses"]}


def test_the_doctor_recognizes_quorum_queues(broker_url: str, clean_redis_url: str) -> None:
    settings = environment(broker_url, clean_redis_url)
    before = doctor(settings)
    assert before["broker"]["detail"].startswith("RabbitMQ ")
    assert "not declared yet" in before[QUEUES[QueueName.INTAKE]]["detail"]
    with Connection(broker_url) as connection:
        kombu_queues.build_amqp_queue(TOPOLOGY[QueueName.INTAKE], declare=True)(connection).declare()
        connection.SimpleQueue(TOPOLOGY[QueueName.CHECKS_IO].name).close()
    after = doctor(settings)
    assert after[QUEUES[QueueName.INTAKE]]["detail"] == "quorum"
    assert "not the quorum queue" in after[QUEUES[QueueName.CHECKS_IO]]["detail"]
    assert "not declared yet" in after[QUEUES[QueueName.DUE]]["detail"]


def test_the_doctor_examines_the_queue_of_the_source(broker_url: str, clean_redis_url: str) -> None:
    queue = SourceQueue(broker_url)
    settings = environment(broker_url, clean_redis_url) | {
        "DWGATE_EVENTBRIDGE_ACCOUNTS": "1107550004250001",
        "DWGATE_SOURCE_URL": queue.url,
        "DWGATE_SOURCE_QUEUE": queue.name,
    }
    missing = doctor(settings, "--role", "ingest-amqp")["source"]
    assert missing["health"] == "refused"
    assert f"no queue '{queue.name}'" in missing["detail"]
    queue.declare()
    queue.publish({})
    wait_for(lambda: queue.length() == 1)
    found = doctor(settings)
    assert found["source"]["health"] == "good"
    assert found["source"]["detail"].endswith("can be consumed: 1 messages wait")
    assert found["settings of ingest from a queue"]["health"] == "good"
    assert "settings of ingest" not in found
    down = doctor(settings | {"DWGATE_SOURCE_URL": "amqp://u:top-secret@127.0.0.1:1/"})["source"]
    assert (down["health"], down["detail"]) == ("down", "the source at 127.0.0.1:1 is down: no connection")


def test_status_shows_the_length_of_each_queue(broker_url: str, clean_redis_url: str) -> None:
    with Connection(broker_url) as connection:
        queue = kombu_queues.build_amqp_queue(TOPOLOGY[QueueName.INTAKE], declare=True)(connection)
        queue.declare()
        connection.Producer().publish("x", exchange="", routing_key=queue.name)
        wait_for(lambda: queue.queue_declare(passive=True).message_count == 1)
    answer = dwgate(environment(broker_url, clean_redis_url), "status", "--json")
    shown = json.loads(answer.stdout)
    assert (answer.returncode, answer.stderr) == (1, "")
    assert {"name": "intake", "messages": 1, "consumers": 0} in shown["queues"]
    assert "queue due does not exist" in shown["problems"]
    assert "no process io: start dwgate worker --role checks-io or intake" in shown["problems"]


@pytest.fixture
def dead_event(clean_redis_url: str) -> Any:
    client = connect(clean_redis_url)
    ledger = Ledger(client, EXTENSION_CODE)
    now = time.time()
    ledger.admit(Event("dead-1", "freeze-node", 7, "42", True, {"nodeIds": [1]}, now), now + 60, now + 50)
    ledger.mark_dead("dead-1", "no answer")
    yield ledger
    client.close()


def test_a_requeued_event_is_in_the_intake_queue(
    broker_url: str, clean_redis_url: str, dead_event: Ledger
) -> None:
    answer = dwgate(environment(broker_url, clean_redis_url), "requeue", "dead-1", "--reason", "r")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert dead_event.states(["dead-1"]) == [State.RECEIVED]
    with Connection(broker_url) as connection:
        message = kombu_queues.build_amqp_queue(TOPOLOGY[QueueName.INTAKE], declare=True)(connection).get(
            no_ack=True
        )
    assert message
    assert message.payload[0][0]["message_id"] == "dead-1"


@pytest.mark.faults
def test_without_a_broker_nothing_is_reopened(clean_redis_url: str, dead_event: Ledger) -> None:
    closed = environment("amqp://u:top-secret@127.0.0.1:1/", clean_redis_url)
    answer = dwgate(closed, "requeue", "dead-1", "--reason", "r")
    assert answer.returncode == 3
    assert answer.stderr == "dwgate: the broker at 127.0.0.1:1 is down: no connection\n"
    assert dead_event.states(["dead-1"]) == [State.DEAD]
    sights = doctor(environment("amqp://u:top-secret@127.0.0.1:1/", clean_redis_url))
    assert sights["broker"]["health"] == "down"
