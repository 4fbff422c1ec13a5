"""Settings that an engine refuses: one line, and an exit code, from every command that needs the engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection

from common.events import Event
from common.ledger import Ledger, connect
from common.topology import QueueName, Topology, default_namespace
from tests.conftest import Broker
from tests.support.engines import RabbitMQ, Valkey
from tests.support.eventbridge_signing import ACCOUNT, TARGET, TOKEN, certificate_pem
from tests.support.source_queue import SourceQueue

EXTENSION = "made-up"
TOPOLOGY = Topology(default_namespace(EXTENSION))
COMMANDS = {
    "worker": ["worker", "--role", "reporter"],
    "ingest": ["ingest", "--port", "0"],
    "flower": ["flower", "--port", "0"],
    "requeue": ["requeue", "m-1", "--reason", "r"],
}
WRONG_BROKER_PASSWORD = "the user or the password is wrong"


@pytest.fixture(scope="module")
def broker(engines: tuple[Broker, Valkey]) -> Iterator[RabbitMQ]:
    """RabbitMQ with an account `writer` that may not consume."""
    rabbitmq = engines[0]
    assert isinstance(rabbitmq, RabbitMQ)
    rabbitmq._control("add_user", "writer", "made-up")
    rabbitmq._control("set_permissions", "-p", vhost(rabbitmq), "writer", ".*", ".*", "")
    yield rabbitmq
    rabbitmq._control("delete_user", "writer")


@pytest.fixture(scope="module")
def redis_url(engines: tuple[Broker, Valkey]) -> str:
    """A ledger with an event that can be requeued."""
    url = engines[1].url
    client, now = connect(url), time.time()
    ledger = Ledger(client, EXTENSION)
    ledger.admit(Event("m-1", "freeze-node", 7, "42", True, {"nodeIds": [1]}, now), now + 60, now + 50)
    ledger.mark_dead("m-1", "no answer")
    client.close()
    return url


def vhost(broker: RabbitMQ) -> str:
    return broker.url.rpartition("/")[2]


def run(
    folder: Path, broker_url: str, redis_url: str, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    pem = folder / "eventbridge.pem"
    pem.write_bytes(certificate_pem())
    environment = {
        "DWGATE_BROKER_URL": broker_url,
        "DWGATE_REDIS_URL": redis_url,
        "DWGATE_EXTENSION_CODE": EXTENSION,
        "DWGATE_REGION": "cn-shanghai",
        "DWGATE_EVENTBRIDGE_TARGET_URLS": TARGET,
        "DWGATE_EVENTBRIDGE_TOKENS": TOKEN,
        "DWGATE_EVENTBRIDGE_ACCOUNTS": ACCOUNT,
        "DWGATE_EVENTBRIDGE_CERTIFICATE_FILE": str(pem),
        "DWGATE_FLOWER_USERS": "watcher:password-of-the-watcher-1",
        "DWGATE_FLOWER_DB": str(folder / "flower.db"),
        "DWGATE_OPENAPI_ENDPOINT": "127.0.0.1:1",
        "DWGATE_OPENAPI_PROTOCOL": "http",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "local",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "made-up",
        **settings,
    }
    return subprocess.run(
        [sys.executable, "-m", "console.main", *arguments],
        env={**os.environ, **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refusal(answer: subprocess.CompletedProcess[str], engine: str) -> str:
    """Return the reason in the only line of a command that ended with exit code 2."""
    assert answer.returncode == 2, answer.stderr
    start, line = f"dwgate: {engine} refuses the settings: ", answer.stderr
    assert line.startswith(start)
    assert line.count("\n") == 1
    return line.removeprefix(start).strip()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_password_of_the_broker(
    broker: RabbitMQ, redis_url: str, tmp_path: Path, command: str
) -> None:
    url = broker.url.replace("guest:guest", "guest:wrong")
    answer = run(tmp_path, url, redis_url, *COMMANDS[command])
    assert refusal(answer, f"the broker at 127.0.0.1:{broker.port}") == WRONG_BROKER_PASSWORD


@pytest.mark.parametrize("command", ["worker", "ingest", "requeue"])
def test_a_wrong_password_of_redis(
    broker: RabbitMQ, engines: tuple[Broker, Valkey], redis_url: str, tmp_path: Path, command: str
) -> None:
    answer = run(tmp_path, broker.url, redis_url.replace("made-up", "wrong"), *COMMANDS[command])
    assert answer.returncode == 2, answer.stderr
    redis_host = f"127.0.0.1:{engines[1].port}"
    assert answer.stderr == f"dwgate: Redis at {redis_host} rejects the user or the password\n"


def test_a_missing_virtual_host(broker: RabbitMQ, redis_url: str, tmp_path: Path) -> None:
    answer = run(tmp_path, f"{broker.url}-missing", redis_url, *COMMANDS["worker"])
    reason = refusal(answer, f"the broker at 127.0.0.1:{broker.port}")
    assert reason == f"vhost {vhost(broker)}-missing not found"


SOURCE_FAULTS = {
    "password": ("guest:wrong", "", "", WRONG_BROKER_PASSWORD),
    "virtual host": ("guest:guest", "-missing", "", "vhost {vhost}-missing not found"),
    "queue": ("guest:guest", "", "-missing", "no queue 'eventbridge.events-missing' in vhost '{vhost}'"),
    "right": ("writer:made-up", "", "", "access to queue 'eventbridge.events' in vhost '{vhost}' refused"),
}


@pytest.mark.parametrize("fault", SOURCE_FAULTS)
def test_a_source_that_refuses(broker: RabbitMQ, redis_url: str, tmp_path: Path, fault: str) -> None:
    user, of_host, of_queue, reason = SOURCE_FAULTS[fault]
    SourceQueue(broker.url).declare()
    source = broker.url.replace("guest:guest", user) + of_host
    answer = run(
        tmp_path,
        broker.url,
        redis_url,
        *("ingest", "--source", "amqp", "--port", "0"),
        DWGATE_SOURCE_URL=source,
        DWGATE_SOURCE_QUEUE=SourceQueue(source).name + of_queue,
    )
    shown = refusal(answer, f"the source at 127.0.0.1:{broker.port}")
    assert shown.startswith(reason.format(vhost=vhost(broker)))


def test_a_queue_that_may_not_be_consumed(broker: RabbitMQ, redis_url: str, tmp_path: Path) -> None:
    url = broker.url.replace("guest:guest", "writer:made-up")
    answer = run(tmp_path, url, redis_url, *COMMANDS["worker"])
    reason = refusal(answer, f"the broker at 127.0.0.1:{broker.port}")
    assert f"access to queue '{TOPOLOGY[QueueName.REPORTS].name}'" in reason
    assert "refused for user 'writer'" in reason


def test_a_queue_with_other_arguments(broker: RabbitMQ, redis_url: str, tmp_path: Path) -> None:
    queue = TOPOLOGY[QueueName.CHECKS_IO]
    with Connection(broker.url) as connection, connection.channel() as channel:
        channel.queue_declare(
            queue.name,
            durable=True,
            auto_delete=False,
            arguments={**queue.arguments, "x-delivery-limit": 7},
        )
    answer = run(tmp_path, broker.url, redis_url, "worker", "--role", "checks-io")
    reason = refusal(answer, f"the broker at 127.0.0.1:{broker.port}")
    assert "inequivalent arg 'x-delivery-limit'" in reason
    assert queue.name in reason


def test_the_doctor_shows_what_is_refused(broker: RabbitMQ, redis_url: str, tmp_path: Path) -> None:
    wrong = broker.url.replace("guest:guest", "guest:wrong"), redis_url.replace("made-up", "wrong")
    answer = run(tmp_path, *wrong, "doctor", "--json")
    assert (answer.returncode, answer.stderr) == (2, "")
    found = {item["what"]: item for item in json.loads(answer.stdout)["diagnoses"]}
    assert found["broker"]["health"] == found["Redis"]["health"] == "refused"
    assert found["broker"]["detail"].endswith(WRONG_BROKER_PASSWORD)
