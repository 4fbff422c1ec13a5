"""Publishing to Redis, the embedded broker: kombu in a few threads, so that the event loop never blocks.

Redis has no confirms: the reply to the write serves as one. It has no exchanges either, so a message is sent
to the intake queue by its name. When a worker pops a message from the list, it exists nowhere else for a
moment (kombu records it as unacknowledged in a second step). So a copy is parked first, like in the backstop
queue of RabbitMQ.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from kombu.connection import Connection
from kombu.exceptions import OperationalError
from redis import RedisError

from common import clock
from common.engines.redis_broker import kombu_options, kombu_url
from common.tls import SYSTEM_STORE, TlsFiles, tls_options
from common.topology import ARRIVAL_SECONDS, QueueName, Topology
from ingest.celery_message import CONTENT_ENCODING, CONTENT_TYPE, PERSISTENT, Message
from ingest.publishers.base import PUBLISH_SECONDS, READY_SECONDS, PublishFailed

THREADS = 2
TIMEOUTS = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}

CONNECTION_ERRORS = (RedisError, OperationalError, OSError, TimeoutError)

_log = structlog.get_logger()


class RedisPublisher:
    """Publishes to Redis.

    Args:
        url: `redis://…`, `rediss://…`, or either with `+sentinel`.
        topology: the fleet's queues.
        tls: files for verified TLS.
    """

    def __init__(self, url: str, topology: Topology, *, tls: TlsFiles = SYSTEM_STORE) -> None:
        self._url = kombu_url(url)
        self._topology = topology
        self._tls = tls_options(url, tls)
        self._options = kombu_options(url, tls, TIMEOUTS)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="publish")
        self._local = threading.local()
        self._connections: list[Any] = []

    async def start(self) -> None:
        """Do nothing: each thread connects when it first publishes."""

    async def close(self) -> None:
        """Close the connections; a blocked thread ends with its socket's timeout."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for connection in self._connections:
            connection.release()

    async def ready(self) -> bool:
        """Whether Redis responds now."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._run(self._ping)
        except CONNECTION_ERRORS:
            return False
        return True

    async def publish(self, message: Message) -> None:
        """Publish `message` and wait until Redis has it.

        Raises:
            PublishFailed: Redis did not reply in time, or with an error.
        """
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                await self._run(self._send, message)
        except CONNECTION_ERRORS as error:
            _log.warning("redis_write_failed", error=type(error).__name__)
            raise PublishFailed(type(error).__name__) from error

    async def _run(self, call: Callable[..., object], *args: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)

    def _send(self, message: Message) -> None:
        try:
            self._publish(self._producer(), message)
        except CONNECTION_ERRORS:
            # It may lead to a server that has become a replica: the next one resolves the address again.
            self._drop_producer()
            raise

    def _publish(self, producer: Any, message: Message) -> None:
        due = clock.now() + ARRIVAL_SECONDS
        producer.channel.client.zadd(self._topology.parked, {message.body: due})
        producer.publish(
            message.body,
            exchange="",
            routing_key=self._topology[QueueName.INTAKE].name,
            headers=message.headers,
            content_type=CONTENT_TYPE,
            content_encoding=CONTENT_ENCODING,
            delivery_mode=PERSISTENT,
            correlation_id=message.task_id,
            retry=False,
        )

    def _ping(self) -> None:
        self._producer().channel.client.ping()

    def _drop_producer(self) -> None:
        if connection := getattr(self._local, "connection", None):
            connection.release()
            self._connections.remove(connection)
            self._local.producer = self._local.connection = None

    def _producer(self) -> Any:
        """Return this thread's producer; it is kept only if it could connect."""
        producer = getattr(self._local, "producer", None)
        if producer is None:
            connection: Any = Connection(self._url, ssl=self._tls, transport_options=self._options)
            producer = connection.Producer()
            producer.channel.client.ping()
            self._connections.append(connection)
            self._local.producer, self._local.connection = producer, connection
        return producer
