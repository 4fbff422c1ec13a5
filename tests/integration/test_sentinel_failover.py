"""Redis with three Sentinels, TLS and passwords: dwgate follows when the master is killed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from queue import Empty

import pytest
import redis
from celery import Celery
from kombu.exceptions import OperationalError
from pydantic import SecretStr

from common.events import Event
from common.ledger import Ledger, connect
from common.settings import BrokerSettings
from common.topology import QueueName
from console.engine_access import require_broker_access
from console.errors import EngineDown, EngineRefused, engine_errors
from ingest.celery_message import SerializedEvent, build_message
from ingest.publishers.base import PublishFailed
from ingest.publishers.redis import RedisPublisher
from tests.support.certificates import Authority
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import wait_for
from tests.support.sentinel_group import MASTER, SENTINEL_PASSWORD, SentinelGroup
from workers.celery_app import create_app
from workers.settings import WorkerSettings

EVENT = Event("m-1", "freeze-node", 7, "u", True, {}, 1000.0)


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelGroup]:
    """A master, a replica and three Sentinels."""
    folder = tmp_path_factory.mktemp("sentinel")
    created = SentinelGroup(folder, Authority(folder))
    try:
        created.start()
        yield created
    finally:
        created.close()


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


def test_dwgate_follows_the_new_master(group: SentinelGroup) -> None:
    """The first Sentinel dies with the master: the others still have a majority."""
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
