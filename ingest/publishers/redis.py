"""Publishing to Redis, the embedded broker: kombu in a few threads, so that the loop never waits.

Redis has no confirms: the answer to the write is one. It has no exchanges either, so a message goes to the
intake queue by its name. And what a worker has taken from a list is for a moment nowhere else (kombu notes it
as unacknowledged in a second step), so a copy is parked first, as the backstop of RabbitMQ does.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from kombu.connection import Connection
from kombu.exceptions import OperationalError
from redis import RedisError

from common import topology
from ingest.celery_message import CONTENT_ENCODING, CONTENT_TYPE, PERSISTENT, Message
from ingest.publishers.base import PUBLISH_SECONDS, READY_SECONDS, PublishFailed

THREADS = 2
SOCKET_SECONDS = 1.0

CONNECTION_ERRORS = (RedisError, OperationalError, OSError, TimeoutError)

_log = structlog.get_logger()


class RedisPublisher:
    """Publishes to Redis.

    Args:
        url: `redis://…` or `rediss://…`.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="publish")
        self._local = threading.local()
        self._connections: list[Any] = []

    async def start(self) -> None:
        """Do nothing: each thread connects when it first publishes."""

    async def close(self) -> None:
        """End the connections; a thread that hangs is left to its socket's time limit."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for connection in self._connections:
            connection.release()

    async def ready(self) -> bool:
        """Return whether Redis answers now."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._run(self._ping)
        except CONNECTION_ERRORS:
            return False
        return True

    async def publish(self, message: Message) -> None:
        """Publish `message` and wait until Redis has it.

        Raises:
            NotDurable: Redis did not answer in time, or refused.
        """
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                await self._run(self._send, message)
        except CONNECTION_ERRORS as error:
            _log.warning("publish_failed", error=type(error).__name__)
            raise PublishFailed(type(error).__name__) from error

    async def _run(self, call: Callable[..., object], *args: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)

    def _send(self, message: Message) -> None:
        producer = self._producer()
        due = time.time() + topology.BACKSTOP_SECONDS
        producer.channel.client.zadd(topology.PARKED, {message.body: due})
        producer.publish(
            message.body,
            exchange="",
            routing_key=topology.INTAKE.name,
            headers=message.headers,
            content_type=CONTENT_TYPE,
            content_encoding=CONTENT_ENCODING,
            delivery_mode=PERSISTENT,
            correlation_id=message.task_id,
            retry=False,
        )

    def _ping(self) -> None:
        self._producer().channel.client.ping()

    def _producer(self) -> Any:
        """Return this thread's producer; one that could not connect is not kept."""
        producer = getattr(self._local, "producer", None)
        if producer is None:
            limits = {"socket_timeout": SOCKET_SECONDS, "socket_connect_timeout": SOCKET_SECONDS}
            connection: Any = Connection(self._url, transport_options=limits)
            producer = connection.Producer()
            producer.channel.client.ping()
            self._connections.append(connection)
            self._local.producer = producer
        return producer
