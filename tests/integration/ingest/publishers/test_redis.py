from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
import redis
from kombu.connection import Connection

from common import topology
from common.events import Event
from common.topology import QueueName
from ingest.celery_message import Message, SerializedEvent, build_message
from ingest.publishers.base import PublishFailed
from ingest.publishers.redis import RedisPublisher
from tests.support.engines import Valkey, free_port
from tests.support.queues import TOPOLOGY

ANSWER_SECONDS = 2.5


def message(message_id: str) -> Message:
    return build_message(
        [
            SerializedEvent.from_event(
                Event(message_id, "commit-file", 1, "19", True, {"fileName": "dwd"}, 12.5)
            )
        ]
    )


@asynccontextmanager
async def started(url: str) -> AsyncIterator[RedisPublisher]:
    publisher = RedisPublisher(url, TOPOLOGY)
    await publisher.start()
    try:
        yield publisher
    finally:
        await publisher.close()


async def until_durable(publisher: RedisPublisher, message_id: str) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await publisher.publish(message(message_id))
            except PublishFailed:
                await asyncio.sleep(0.05)
            else:
                return


async def fails_in_time(publisher: RedisPublisher, message_id: str) -> None:
    started_at = time.monotonic()
    with pytest.raises(PublishFailed):
        await publisher.publish(message(message_id))
    assert time.monotonic() - started_at < ANSWER_SECONDS


def ids(url: str) -> list[str]:
    client = redis.Redis.from_url(url)
    found = client.lrange(TOPOLOGY[QueueName.INTAKE].name, 0, -1)
    client.close()
    assert isinstance(found, list)
    return [orjson.loads(entry)["properties"]["correlation_id"] for entry in found]


def test_an_event_is_in_the_intake_queue_as_a_celery_message(clean_redis_url: str) -> None:
    async def main() -> None:
        async with started(clean_redis_url) as publisher:
            await publisher.publish(message("a-1"))
            assert await publisher.ready()

    asyncio.run(main())
    with Connection(clean_redis_url) as connection:
        queue: Any = connection.SimpleQueue(TOPOLOGY[QueueName.INTAKE].name)
        taken = queue.get(timeout=5)
        taken.ack()
        queue.close()
    args, kwargs, _ = taken.payload
    assert args[0]["message_id"] == "a-1"
    assert kwargs == {}
    assert taken.headers["task"] == topology.TASK_INTAKE
    assert taken.headers["argsrepr"] == "'a-1'"
    assert taken.properties["correlation_id"] == "a-1"
    assert taken.content_type == "application/json"


def test_the_body_is_not_changed(clean_redis_url: str) -> None:
    async def main() -> None:
        async with started(clean_redis_url) as publisher:
            await publisher.publish(message("a-1"))

    asyncio.run(main())
    client = redis.Redis.from_url(clean_redis_url)
    entry = client.lindex(TOPOLOGY[QueueName.INTAKE].name, 0)
    client.close()
    assert isinstance(entry, bytes)
    assert base64.b64decode(orjson.loads(entry)["body"]) == message("a-1").body


def test_many_concurrent_messages_arrive_once(clean_redis_url: str) -> None:
    async def main() -> None:
        async with started(clean_redis_url) as publisher:
            await asyncio.gather(*(publisher.publish(message(f"m{number}")) for number in range(500)))

    asyncio.run(main())
    assert sorted(ids(clean_redis_url)) == sorted(f"m{number}" for number in range(500))


def test_without_redis_it_starts_and_answers_at_once() -> None:
    async def main() -> None:
        async with started(f"redis://127.0.0.1:{free_port()}/0") as publisher:
            assert not await publisher.ready()
            await fails_in_time(publisher, "away")

    asyncio.run(main())


@pytest.mark.faults
def test_a_killed_redis_fails_in_time_and_is_used_again(valkey: Valkey, clean_redis_url: str) -> None:
    async def main() -> None:
        async with started(clean_redis_url) as publisher:
            await publisher.publish(message("before"))
            valkey.kill()
            await fails_in_time(publisher, "killed")
            assert not await publisher.ready()
            await asyncio.to_thread(valkey.start)
            await until_durable(publisher, "after")

    asyncio.run(main())
    assert {"before", "after"} <= set(ids(clean_redis_url))


@pytest.mark.faults
def test_a_frozen_redis_never_blocks_the_loop(valkey: Valkey, clean_redis_url: str) -> None:
    async def main() -> None:
        async with started(clean_redis_url) as publisher:
            await publisher.publish(message("before"))
            valkey.stop_process()
            longest = 0.0

            async def watch() -> None:
                nonlocal longest
                while True:
                    started_at = time.monotonic()
                    await asyncio.sleep(0.01)
                    longest = max(longest, time.monotonic() - started_at)

            watcher = asyncio.create_task(watch())
            await asyncio.gather(*(fails_in_time(publisher, f"frozen-{number}") for number in range(200)))
            assert not await publisher.ready()
            watcher.cancel()
            valkey.resume()
            await until_durable(publisher, "after")
            assert longest < 0.5

    asyncio.run(main())
