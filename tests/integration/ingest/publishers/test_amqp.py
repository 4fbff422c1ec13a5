from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
import uvloop
from kombu.connection import Connection

from common import topology
from common.events import Event
from common.topology import QueueName
from ingest import amqp_connection
from ingest.celery_message import Message, SerializedEvent, build_message
from ingest.publishers import amqp
from ingest.publishers.amqp import AmqpPublisher
from ingest.publishers.base import PublishFailed
from tests.conftest import Broker
from tests.support.engines import clean_broker, free_port
from tests.support.queues import TOPOLOGY

ANSWER_SECONDS = 2.5


def message(message_id: str, padding: int = 0) -> Message:
    data = {"fileName": "x" * padding}
    return build_message(
        [SerializedEvent.from_event(Event(message_id, "commit-file", 1, "19", True, data, 12.5))]
    )


@asynccontextmanager
async def started(url: str, **options: Any) -> AsyncIterator[AmqpPublisher]:
    publisher = AmqpPublisher(url, TOPOLOGY, **options)
    await publisher.start()
    try:
        yield publisher
    finally:
        await publisher.close()


async def until(publish: Callable[[], Any], seconds: float = 60) -> None:
    """Publish until it is durable."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                await publish()
            except PublishFailed:
                await asyncio.sleep(0.05)
            else:
                return


def take(url: str, queue: str) -> list[Any]:
    """Return all messages of `queue`."""
    with Connection(url, connect_timeout=5) as connection, connection.channel() as channel:
        messages = []
        while (found := channel.basic_get(queue, no_ack=True)) is not None:
            messages.append(found)
        return messages


def test_an_event_reaches_intake_and_backstop_as_a_celery_message(broker_url: str) -> None:
    async def main() -> None:
        async with started(broker_url) as publisher:
            await until(lambda: publisher.publish(message("a-1", padding=300_000)))
            assert await publisher.ready()

    asyncio.run(main())
    [copy] = take(broker_url, TOPOLOGY[QueueName.ARRIVALS].name)
    [intake] = take(broker_url, TOPOLOGY[QueueName.INTAKE].name)
    assert copy.body == intake.body
    assert orjson.loads(intake.body)[0][0]["message_id"] == "a-1"
    assert intake.properties["delivery_mode"] == 2
    assert intake.properties["correlation_id"] == "a-1"
    assert intake.properties["content_type"] == "application/json"
    assert intake.properties["content_encoding"] == "utf-8"
    headers = intake.properties["application_headers"]
    assert headers["task"] == topology.TASK_INTAKE
    assert headers["timelimit"] == [None, None]
    assert headers["argsrepr"] == "'a-1'"


def test_the_whole_topology_is_declared(broker_url: str) -> None:
    async def main() -> None:
        async with started(broker_url) as publisher:
            await until(lambda: publisher.publish(message("a-1")))

    asyncio.run(main())
    with Connection(broker_url, connect_timeout=5) as connection, connection.channel() as channel:
        for queue in TOPOLOGY.queues:
            channel.queue_declare(
                queue.name, durable=True, auto_delete=False, arguments=dict(queue.arguments)
            )
        for exchange in (TOPOLOGY.exchange, TOPOLOGY.dead_exchange):
            channel.exchange_declare(exchange, "topic", durable=True, auto_delete=False)


def test_an_existing_topology_is_left_alone(broker_url: str) -> None:
    async def main() -> None:
        async with started(broker_url, mode="existing") as publisher:
            with pytest.raises(TimeoutError):
                await until(lambda: publisher.publish(message("a-1")), seconds=2)
        async with started(broker_url) as publisher:
            await until(lambda: publisher.publish(message("a-2")))
        async with started(broker_url, mode="existing") as publisher:
            await until(lambda: publisher.publish(message("a-3")))

    asyncio.run(main())
    assert [
        found.properties["correlation_id"] for found in take(broker_url, TOPOLOGY[QueueName.INTAKE].name)
    ] == [
        "a-2",
        "a-3",
    ]


def test_a_thousand_concurrent_messages_arrive_once(broker_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amqp, "PUBLISH_SECONDS", 60.0)  # a busy machine confirms later

    async def main() -> None:
        async with started(broker_url) as publisher:
            await until(lambda: publisher.publish(message("first")))
            await asyncio.gather(*(publisher.publish(message(f"m{number}")) for number in range(1000)))

    asyncio.run(main())
    ids = [found.properties["correlation_id"] for found in take(broker_url, TOPOLOGY[QueueName.INTAKE].name)]
    assert sorted(ids) == sorted(["first", *(f"m{number}" for number in range(1000))])


def test_a_missing_queue_fails_the_publish_and_is_declared_again(broker_url: str) -> None:
    async def main() -> None:
        async with started(broker_url) as publisher:
            await until(lambda: publisher.publish(message("a-1")))
            with Connection(broker_url, connect_timeout=5) as connection, connection.channel() as channel:
                for queue in (TOPOLOGY[QueueName.INTAKE], TOPOLOGY[QueueName.ARRIVALS]):
                    channel.queue_delete(queue.name)
            with pytest.raises(PublishFailed):
                await publisher.publish(message("a-2"))
            await until(lambda: publisher.publish(message("a-3")))
            clean_broker(broker_url)
            with pytest.raises(PublishFailed):
                await publisher.publish(message("a-4"))
            await until(lambda: publisher.publish(message("a-5")))

    asyncio.run(main())
    assert [
        found.properties["correlation_id"] for found in take(broker_url, TOPOLOGY[QueueName.INTAKE].name)
    ] == ["a-5"]


def test_a_queue_that_rejects_fails_the_publish(broker_url: str) -> None:
    with Connection(broker_url, connect_timeout=5) as connection, connection.channel() as channel:
        channel.exchange_declare(TOPOLOGY.exchange, "topic", durable=True, auto_delete=False)
        arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
        channel.queue_declare(
            TOPOLOGY[QueueName.INTAKE].name, durable=True, auto_delete=False, arguments=arguments
        )
        channel.queue_bind(TOPOLOGY[QueueName.INTAKE].name, TOPOLOGY.exchange, TOPOLOGY.event_key)

    async def main() -> None:
        async with started(broker_url, mode="existing") as publisher:
            await until(lambda: publisher.publish(message("a-1")))
            with pytest.raises(PublishFailed, match="rejected"):
                await publisher.publish(message("a-2"))

    asyncio.run(main())


def test_without_a_broker_it_starts_fails_at_once_and_closes() -> None:
    async def main() -> None:
        async with started(f"amqp://guest:guest@127.0.0.1:{free_port()}/") as publisher:
            started_at = time.monotonic()
            with pytest.raises(PublishFailed):
                await publisher.publish(message("a-1"))
            assert not await publisher.ready()
            assert time.monotonic() - started_at < 1

    asyncio.run(main())


@pytest.mark.faults
def test_a_killed_broker_loses_nothing_that_was_confirmed(rabbitmq: Broker, broker_url: str) -> None:
    confirmed: list[str] = []
    stop = asyncio.Event()

    async def sender(publisher: AmqpPublisher, name: str) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            started_at = time.monotonic()
            try:
                await publisher.publish(message(f"{name}-{number}"))
            except PublishFailed:
                await asyncio.sleep(0.01)
            else:
                confirmed.append(f"{name}-{number}")
            assert time.monotonic() - started_at < ANSWER_SECONDS

    async def more(than: int) -> None:
        async with asyncio.timeout(60):
            while len(confirmed) < than:  # noqa: ASYNC110 (the senders set no event)
                await asyncio.sleep(0.02)

    async def main() -> None:
        async with started(broker_url) as publisher:
            senders = [asyncio.create_task(sender(publisher, str(number))) for number in range(16)]
            await more(200)
            await asyncio.to_thread(rabbitmq.kill)
            await asyncio.to_thread(rabbitmq.start)
            await more(len(confirmed) + 200)
            stop.set()
            await asyncio.gather(*senders)

    asyncio.run(main())
    arrived = {
        found.properties["correlation_id"] for found in take(broker_url, TOPOLOGY[QueueName.INTAKE].name)
    }
    assert set(confirmed) <= arrived


@pytest.mark.faults
def test_a_frozen_broker_fails_in_time_and_is_used_again(rabbitmq: Broker, broker_url: str) -> None:
    async def fails_in_time(publisher: AmqpPublisher, number: int) -> None:
        started_at = time.monotonic()
        with pytest.raises(PublishFailed):
            await publisher.publish(message(f"frozen-{number}"))
        assert time.monotonic() - started_at < ANSWER_SECONDS

    async def main() -> None:
        async with started(broker_url) as publisher:
            await until(lambda: publisher.publish(message("before")))
            rabbitmq.stop_process()
            # More than can be sent at once: the others must not wait for confirms that never arrive.
            await asyncio.gather(*(fails_in_time(publisher, number) for number in range(600)))
            assert not await publisher.ready()
            rabbitmq.resume()
            await until(lambda: publisher.publish(message("after")))
            rabbitmq.stop_process()
            await fails_in_time(publisher, 601)
            await asyncio.to_thread(rabbitmq.kill)
            await asyncio.to_thread(rabbitmq.start)
            await until(lambda: publisher.publish(message("restarted")))

    asyncio.run(main())


@pytest.mark.faults
def test_connections_that_end_at_once_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A balancer without a node that serves: aiormq raises StopAsyncIteration on such a connection."""
    monkeypatch.setattr(amqp_connection, "RECONNECT_SECONDS", 0.01)

    def close_connections(server: socket.socket) -> None:
        for _ in range(50):
            server.accept()[0].close()

    async def main(server: socket.socket) -> None:
        async with started(f"amqp://guest:guest@127.0.0.1:{server.getsockname()[1]}/"):
            load = asyncio.create_task(keep_busy())
            await asyncio.to_thread(close_connections, server)
            load.cancel()

    async def keep_busy() -> None:
        """Make the loop slow, so that the end of a connection arrives before its first frame is read."""
        while True:
            time.sleep(0.003)  # noqa: ASYNC251
            await asyncio.sleep(0)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main(server))


@pytest.mark.faults
def test_a_broker_that_starts_later_is_used(rabbitmq: Broker, broker_url: str) -> None:
    async def main() -> None:
        rabbitmq.kill()
        async with started(broker_url) as publisher:
            with pytest.raises(PublishFailed):
                await publisher.publish(message("a-1"))
            await asyncio.to_thread(rabbitmq.start)
            await until(lambda: publisher.publish(message("a-2")))

    asyncio.run(main())
