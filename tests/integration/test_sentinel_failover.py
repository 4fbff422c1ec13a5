"""Redis with three Sentinels, TLS and passwords: dwgate follows when the master is killed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty

import pytest
import redis
from celery import Celery
from kombu import Connection
from kombu.exceptions import OperationalError
from pydantic import SecretStr

from common.engines.redis_broker import kombu_options, kombu_url
from common.events import Event
from common.ledger import Ledger, connect
from common.settings import BrokerSettings
from common.tls import tls_options
from common.topology import QueueName, Topology
from console.engine_access import require_broker_access
from console.errors import EngineDown, EngineRefused, engine_errors
from ingest.celery_message import SerializedEvent, build_message
from ingest.publishers.base import PublishFailed
from ingest.publishers.redis import RedisPublisher
from tests.support.certificates import Authority
from tests.support.flower_process import running_flower
from tests.support.measured import MEASURED
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import wait_for
from tests.support.sentinel_group import MASTER, SENTINEL_PASSWORD, SentinelGroup
from workers.broker.redis_transport import ConsumingSentinelChannel, ConsumingSentinelTransport
from workers.celery_app import REDIS_TIMEOUTS, create_app
from workers.settings import WorkerSettings

EVENT = Event("m-1", "freeze-node", 7, "u", True, {}, 1000.0)


def started(folder: Path) -> Iterator[SentinelGroup]:
    """Run a master, a replica and three Sentinels."""
    created = SentinelGroup(folder, Authority(folder))
    try:
        created.start()
        yield created
    finally:
        created.close()


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelGroup]:
    """A group of which the tests stop nothing."""
    yield from started(tmp_path_factory.mktemp("sentinel"))


@pytest.fixture
def mortal_group(tmp_path: Path) -> Iterator[SentinelGroup]:
    """A group for one test."""
    yield from started(tmp_path)


def settings_of(group: SentinelGroup, url: str) -> BrokerSettings:
    return BrokerSettings(
        broker_url=SecretStr(url),
        extension_code="ext",
        tls_ca_file=group.files.ca_file,
        tls_cert_file=group.files.cert_file,
        tls_key_file=group.files.key_file,
    )


def test_a_wrong_password_of_sentinel_is_refused(group: SentinelGroup) -> None:
    settings = settings_of(group, group.url.replace(SENTINEL_PASSWORD, "wrong"))
    with pytest.raises(EngineRefused, match=r"rejects the user or the password$") as raised:
        require_broker_access(settings)
    assert "127.0.0.1:" in str(raised.value)
    assert "wrong" not in str(raised.value)


def test_a_wrong_name_of_the_master_is_one_line(group: SentinelGroup) -> None:
    url = SecretStr(group.url.replace(f"master={MASTER}", "master=other"))
    with (
        pytest.raises(EngineDown, match=r"is down: Sentinel knows no master of this name that serves$"),
        engine_errors("Redis", url),
    ):
        connect(url.get_secret_value(), tls=group.files).ping()


def test_flower_asks_the_master_for_the_queues(group: SentinelGroup, tmp_path: Path) -> None:
    settings = {
        **MEASURED,
        "PATH": "/usr/bin:/bin",
        "DWGATE_EXTENSION_CODE": "ext",
        "DWGATE_BROKER_URL": group.url,
        "DWGATE_TLS_CA_FILE": str(group.files.ca_file),
        "DWGATE_TLS_CERT_FILE": str(group.files.cert_file),
        "DWGATE_TLS_KEY_FILE": str(group.files.key_file),
    }
    with running_flower(settings, tmp_path) as flower:
        answer = flower.get("/api/queues/length")
        assert answer.status_code == 200
        queues = {queue["name"]: queue["messages"] for queue in answer.json()["active_queues"]}
    assert queues == {queue.name: 0 for queue in Topology("ext").task_queues}


def test_an_entry_that_is_no_message_is_refused(
    group: SentinelGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[tuple[str, bytes]] = []
    monkeypatch.setattr(
        ConsumingSentinelChannel,
        "refuse",
        staticmethod(lambda name, entry: refused.append((name, entry))),
        raising=False,
    )
    client = connect(group.url, tls=group.files)
    client.lpush("some", b"42")
    client.close()
    with Connection(
        kombu_url(group.url),
        ssl=tls_options(group.url, group.files),
        transport=ConsumingSentinelTransport,
        transport_options=kombu_options(group.url, group.files, REDIS_TIMEOUTS),
    ) as connection:
        queue = connection.SimpleQueue("some")
        queue.put({})
        queue.get(timeout=10).ack()
        queue.close()
    assert refused == [("some", b"42")]


def test_dwgate_follows_the_new_master(mortal_group: SentinelGroup) -> None:
    """The first Sentinel dies with the master: the others still have a majority."""
    group = mortal_group
    client = connect(group.url, tls=group.files)
    ledger = Ledger(client, "ext-sentinel")
    app = create_app(
        WorkerSettings.model_validate(
            {**settings_of(group, group.url).model_dump(), "redis_url": group.url, "region": "cn-shanghai"}
        )
    )
    publisher = RedisPublisher(group.url, TOPOLOGY, tls=group.files)
    wait_for(lambda: is_admitted(ledger, "before"))
    asyncio.run(publish(publisher))
    wait_for(lambda: received(app) == 1)

    old = group.master()
    old.kill()
    group.sentinels[0].kill()
    wait_for(lambda: is_admitted(ledger, "after"), 40)
    assert group.master() is not old
    asyncio.run(publish(publisher))
    wait_for(lambda: received(app) == 1)
    asyncio.run(publisher.close())
    app.close()
    client.close()


def is_admitted(ledger: Ledger, message_id: str) -> bool:
    event = Event(message_id, "freeze-node", 7, "u", True, {}, time.time())
    try:
        return ledger.admit(event, time.time() + 60, time.time() + 50)[0]
    except redis.RedisError:
        return False


async def publish(publisher: RedisPublisher) -> None:
    """Publish until it is durable."""
    message = build_message([SerializedEvent.from_event(EVENT)])
    async with asyncio.timeout(40):
        while True:
            try:
                return await publisher.publish(message)
            except PublishFailed:
                await asyncio.sleep(0.05)


def received(app: Celery) -> int:
    """Take a message of intake as a worker does, and return 1; 0 if there is none, or no master."""
    try:
        with app.connection_for_read() as connection:
            queue = connection.SimpleQueue(TOPOLOGY[QueueName.INTAKE].name)
            queue.get(timeout=1).ack()
            queue.close()
    except (OperationalError, redis.RedisError, Empty):
        return 0
    return 1
