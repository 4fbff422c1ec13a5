"""Publishing to RabbitMQ with aio-pika: confirmed, mandatory and persistent, over one connection.

A background task connects, declares the topology, waits until the connection is lost, and reconnects.
Publishing never waits for a connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aio_pika.exceptions import (
    AMQPError,
    AuthenticationError,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    DeliveryError,
    ProbableAuthenticationError,
    PublishError,
)
from aiormq.exceptions import ChannelAccessRefused, ConnectionNotAllowed
from yarl import URL

from common.engines.address_rotation import AddressRotation
from common.engines.urls import node_urls
from common.settings import BrokerTopology
from common.tls import SYSTEM_STORE, TlsFiles, create_context
from common.topology import Topology
from ingest.celery_message import CONTENT_ENCODING, CONTENT_TYPE, Message
from ingest.publishers.base import PUBLISH_SECONDS, READY_SECONDS, PublishFailed

HEARTBEAT_SECONDS = 5
CONNECT_SECONDS = 5.0
RECONNECT_SECONDS = 0.5
"""Seconds before the next attempt to connect."""

REFUSED_SECONDS = 15.0
"""Seconds before the next attempt after a refusal, which only a person can end."""

CLOSE_SECONDS = 2.0
"""How long the end may take: the client library may wait for a broker that hangs."""

CONNECTION_ERRORS = (AMQPError, OSError, RuntimeError, StopAsyncIteration)
"""Raised by aio-pika when the connection or channel is lost; OSError covers timeouts and ConnectionError.

aiormq raises StopAsyncIteration if a connection ends before its first frame, as behind a load balancer
without a node that serves.
"""

REFUSALS = (
    AuthenticationError,
    ProbableAuthenticationError,
    ConnectionNotAllowed,
    ChannelAccessRefused,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
)
"""What RabbitMQ answers to wrong credentials, a missing virtual host, exchange or right, and to other
arguments of a queue that exists."""

_log = structlog.get_logger()


class BrokerRefused(PublishFailed):
    """RabbitMQ refuses the settings; the text is its reason."""


class AmqpPublisher:
    """Publishes to RabbitMQ.

    Args:
        url: `amqp://…` or `amqps://…`; several nodes are separated by semicolons.
        topology: the fleet's exchanges and queues.
        mode: `declare` declares exchanges and queues on each connection, otherwise they must exist.
        tls: files for verified TLS with `amqps://`.
    """

    def __init__(
        self,
        url: str,
        topology: Topology,
        mode: BrokerTopology = "declare",
        *,
        tls: TlsFiles = SYSTEM_STORE,
    ) -> None:
        self._nodes = AddressRotation(
            [URL(node).update_query(heartbeat=HEARTBEAT_SECONDS) for node in node_urls(url)]
        )
        self._tls_context = create_context(tls) if url.startswith("amqps:") else None
        self._topology = topology
        self._mode = mode
        self._connection: AbstractConnection | None = None
        self._exchange: AbstractExchange | None = None
        self._reconnect = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start to connect in the background."""
        self._keeper = asyncio.create_task(self._maintain_connection())

    async def close(self) -> None:
        """Close the connection."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper}, timeout=CLOSE_SECONDS)

    async def ready(self) -> bool:
        """Whether the broker currently opens channels."""
        if self._connection is None:
            return False
        try:
            async with asyncio.timeout(READY_SECONDS), _connection_errors():
                probe = await self._connection.channel(publisher_confirms=False)
                await probe.close()
        except (PublishFailed, TimeoutError):
            return False
        return True

    async def publish(self, message: Message) -> None:
        """Publish `message` and wait for the confirm.

        Raises:
            PublishFailed: no connection, no queue, no confirm in time, or rejected by the broker.
        """
        try:
            async with asyncio.timeout(PUBLISH_SECONDS), _connection_errors():
                await self._send(message)
        except TimeoutError:
            raise PublishFailed("no confirm from the broker in time") from None

    async def _send(self, message: Message) -> None:
        if self._exchange is None:
            raise PublishFailed("no connection to the broker")
        try:
            await self._exchange.publish(_amqp_message(message), self._topology.event_key, mandatory=True)
        except PublishError:
            self._reconnect.set()  # the new session declares what is missing
            raise PublishFailed("no queue accepts the message") from None
        except DeliveryError:
            raise PublishFailed("the broker rejected the message") from None

    async def _maintain_connection(self) -> None:
        last_reason = ""
        while True:
            pause = RECONNECT_SECONDS
            try:
                await self._serve()
                reason = "closed"
                if len(self._nodes) > 1:
                    pause = 0.0
            except BrokerRefused as error:
                _log.error("broker_refused", reason=str(error))
                await asyncio.sleep(REFUSED_SECONDS)
                continue
            except PublishFailed as error:
                reason = str(error)
            if reason != last_reason:  # one line per outage, not one per attempt
                _log.warning("broker_connection_lost", reason=reason)
            last_reason = reason
            await asyncio.sleep(pause)

    async def _serve(self) -> None:
        """Connect to the first node that serves, and return when the connection has ended.

        Raises:
            BrokerRefused: no node serves, and one of them refuses the settings.
            PublishFailed: no node serves.
        """
        failures: list[PublishFailed] = []
        for node in self._nodes.in_order():
            try:
                async with _connection_errors():
                    await self._session(node)
            except PublishFailed as error:
                failures.append(error)
            except Exception as error:  # noqa: BLE001 - without this task ingest answers 503 for ever
                failures.append(PublishFailed(type(error).__name__))
            else:
                return
            finally:
                self._nodes.note_failure(node)
        raise next((error for error in failures if isinstance(error, BrokerRefused)), failures[-1])

    async def _session(self, node: URL) -> None:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await aio_pika.connect(node, ssl_context=self._tls_context)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
                if self._mode == "declare":
                    await _declare(channel, self._topology)
                exchange = await channel.get_exchange(self._topology.exchange, ensure=False)
            self._connection, self._exchange = connection, exchange
            self._reconnect.clear()
            _log.info("broker_connected", host=node.host)
            await self._wait_for_end(connection, channel)
        finally:
            self._connection = self._exchange = None
            await _close(connection)

    async def _wait_for_end(self, connection: AbstractConnection, channel: AbstractChannel) -> None:
        """Wait until the connection or the channel is closed, or a reconnect is requested."""
        ends = [
            asyncio.ensure_future(waiting)
            for waiting in (connection.closed(), channel.closed(), self._reconnect.wait())
        ]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()


@asynccontextmanager
async def _connection_errors() -> AsyncIterator[None]:
    """Convert every error by which aio-pika reports a lost connection to `PublishFailed`."""
    task = asyncio.current_task()
    try:
        yield
    except asyncio.CancelledError:
        # aio-pika cancels tasks that wait on a connection it abandons: re-raise only our own cancellation.
        if task is None or task.cancelling():
            raise
        raise PublishFailed("the connection was lost") from None
    except REFUSALS as error:
        raise BrokerRefused(f"{type(error).__name__}: {error}") from error
    except CONNECTION_ERRORS as error:
        raise PublishFailed(f"{type(error).__name__}: {error}") from error


async def _declare(channel: AbstractChannel, topology: Topology) -> None:
    exchanges = {
        name: await channel.declare_exchange(name, aio_pika.ExchangeType.TOPIC, durable=True)
        for name in (topology.exchange, topology.dead_exchange)
    }
    for queue in topology.queues:
        declared = await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))
        for key in queue.routing_keys:
            await declared.bind(exchanges[queue.exchange], key)


async def _close(connection: AbstractConnection) -> None:
    try:
        async with asyncio.timeout(READY_SECONDS):
            await connection.close()
    except CONNECTION_ERRORS:
        _log.debug("broker_close_failed")


def _amqp_message(message: Message) -> aio_pika.Message:
    return aio_pika.Message(
        message.body,
        headers=message.headers,
        content_type=CONTENT_TYPE,
        content_encoding=CONTENT_ENCODING,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        correlation_id=message.task_id,
        message_id=message.task_id,
    )
