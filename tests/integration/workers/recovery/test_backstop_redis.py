"""The backstop on Redis: a copy of each event is parked before the event is queued."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import orjson
import pytest
import redis

from common.events import Event
from common.ledger import State, connect
from common.topology import ARRIVAL_SECONDS, BACKSTOP_SECONDS, QueueName
from ingest.celery_message import SerializedEvent, build_message
from ingest.publishers.redis import RedisPublisher
from tests.support.emulator_process import EXTENSION_CODE, PROJECT_ID
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import wait_for
from workers.celery_app import create_app
from workers.recovery import backstop_redis
from workers.services import Services
from workers.settings import WorkerSettings


def event(message_id: str = "m-1") -> Event:
    return Event(message_id, "freeze-node", PROJECT_ID, "u", True, {"nodeIds": [1]}, time.time())


@pytest.fixture
def services(clean_redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "made-up")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "made-up")
    settings = WorkerSettings.model_validate(
        {
            "broker_url": clean_redis_url,
            "redis_url": clean_redis_url,
            "extension_code": EXTENSION_CODE,
            "region": "cn-shanghai",
        }
    )
    services = Services(settings, create_app(settings))
    yield services
    services.ledger.client.close()
    services.app.close()


@pytest.fixture
def broker(clean_redis_url: str) -> Iterator[redis.Redis]:
    client = connect(clean_redis_url)
    yield client
    client.close()


def publish(url: str, an_event: Event) -> None:
    async def main() -> None:
        publisher = RedisPublisher(url, TOPOLOGY)
        await publisher.start()
        await publisher.publish(build_message([SerializedEvent.from_event(an_event)]))
        await publisher.close()

    asyncio.run(main())


def lose(broker: redis.Redis) -> None:
    """Pop the queued message, like a worker that crashes with it."""
    assert broker.rpop(TOPOLOGY[QueueName.INTAKE].name)


def copies(broker: redis.Redis) -> list[bytes]:
    return backstop_redis.due_bodies(broker, TOPOLOGY.parked, float("inf"))


def make_due(broker: redis.Redis) -> None:
    for body in copies(broker):
        broker.zadd(TOPOLOGY.parked, {body: time.time() - 1})


def queued(broker: redis.Redis) -> int:
    return int(broker.llen(TOPOLOGY[QueueName.INTAKE].name))


def parked(broker: redis.Redis) -> list[float]:
    return [float(broker.zscore(TOPOLOGY.parked, body) or 0) for body in copies(broker)]


def test_an_event_lost_on_its_way_to_a_worker_is_admitted(
    services: Services, broker: redis.Redis, clean_redis_url: str
) -> None:
    publish(clean_redis_url, event())
    assert max(parked(broker)) < time.time() + ARRIVAL_SECONDS
    lose(broker)
    make_due(broker)
    backstop_redis.process_due(services, broker)

    assert services.ledger.states(["m-1"]) == [State.RECEIVED]
    assert [due > time.time() for due in parked(broker)] == [True]
    assert queued(broker) == 0


def test_an_event_that_the_ledger_has_lost_goes_through_intake_again(
    services: Services, broker: redis.Redis, clean_redis_url: str
) -> None:
    publish(clean_redis_url, replace(event(), received_at=time.time() - BACKSTOP_SECONDS - 1))
    lose(broker)
    for _ in range(2):
        make_due(broker)
        backstop_redis.process_due(services, broker)
    assert queued(broker) == 1, "only once"
    again = orjson.loads(broker.lindex(TOPOLOGY[QueueName.INTAKE].name, 0) or b"")
    assert again["properties"]["correlation_id"] == "m-1"


def test_what_is_not_due_yet_is_left_alone(
    services: Services, broker: redis.Redis, clean_redis_url: str
) -> None:
    publish(clean_redis_url, event())
    backstop_redis.process_due(services, broker)
    assert queued(broker) == 1
    assert len(parked(broker)) == 1


def test_an_event_under_way_stays_parked_and_one_that_ended_does_not(
    services: Services, broker: redis.Redis, clean_redis_url: str
) -> None:
    publish(clean_redis_url, event())
    lose(broker)
    services.ledger.admit(event(), time.time() + 60, time.time() + 60)
    make_due(broker)
    backstop_redis.process_due(services, broker)
    assert [due > time.time() for due in parked(broker)] == [True]

    services.ledger.mark_ignored("m-1", "for the test")
    make_due(broker)
    backstop_redis.process_due(services, broker)
    assert parked(broker) == []
    assert queued(broker) == 0


def test_an_event_that_is_too_old_is_kept_with_the_rejects(
    services: Services, broker: redis.Redis, clean_redis_url: str
) -> None:
    publish(clean_redis_url, replace(event(), received_at=time.time() - 2 * 86400))
    lose(broker)
    make_due(broker)
    backstop_redis.process_due(services, broker)
    assert "within a day" in services.ledger.rejects()[0]["reason"]
    assert parked(broker) == []
    assert queued(broker) == 0


def test_a_copy_that_cannot_be_read_is_kept_with_the_rejects(services: Services, broker: redis.Redis) -> None:
    broker.zadd(TOPOLOGY.parked, {b"no json": time.time() - 1})
    backstop_redis.process_due(services, broker)
    assert "body" in services.ledger.rejects()[0]["reason"]
    assert parked(broker) == []


def test_what_is_due_is_looked_at_until_it_is_stopped(
    services: Services, broker: redis.Redis, clean_redis_url: str
) -> None:
    publish(clean_redis_url, event())
    lose(broker)
    make_due(broker)
    stop = threading.Event()
    thread = threading.Thread(target=backstop_redis.run, args=(services, stop))
    thread.start()
    try:
        wait_for(lambda: services.ledger.states(["m-1"]) == [State.RECEIVED])
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
