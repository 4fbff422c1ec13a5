"""Publishing to RabbitMQ with aio-pika: confirmed, mandatory and persistent, over one connection.

A background task connects, declares the topology, waits until the connection is lost, and reconnects.
Publishing never waits for a connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NoReturn

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aio_pika.exceptions import DeliveryError, PublishError

from common.settings import BrokerTopology
from common.tls import SYSTEM_STORE, TlsFiles
from common.topology import Topology
from ingest.amqp_connection import (
    CLOSE_SECONDS,
    CONNECT_SECONDS,
    ConnectionLost,
    Nodes,
    NoteConnected,
    connection_errors,
    keep_connected,
    wait_for_end,
)
from ingest.celery_message import CONTENT_ENCODING, CONTENT_TYPE, Message
from ingest.publishers.base import PUBLISH_SECONDS, READY_SECONDS, PublishFailed


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
        self._nodes = Nodes(url, tls)
        self._topology = topology
        self._mode = mode
        self._connection: AbstractConnection | None = None
        self._exchange: AbstractExchange | None = None
        self._reconnect = asyncio.Event()
        self._keeper: asyncio.Task[NoReturn] | None = None

    async def start(self) -> None:
        """Start to connect in the background."""
        self._keeper = asyncio.create_task(keep_connected(self._session, "own"))

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
            async with asyncio.timeout(READY_SECONDS), connection_errors():
                probe = await self._connection.channel(publisher_confirms=False)
                await probe.close()
        except (ConnectionLost, TimeoutError):
            return False
        return True

    async def publish(self, message: Message) -> None:
        """Publish `message` and wait for the confirm.

        Raises:
            PublishFailed: no connection, no queue, no confirm in time, or rejected by the broker.
        """
        try:
            async with asyncio.timeout(PUBLISH_SECONDS), connection_errors():
                await self._send(message)
        except TimeoutError:
            raise PublishFailed("no confirm from the broker in time") from None
        except ConnectionLost as error:
            raise PublishFailed(str(error)) from None

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

    async def _session(self, note_connected: NoteConnected) -> None:
        await self._nodes.use_in_turn(self._serve, note_connected)

    async def _serve(self, connection: AbstractConnection, note_connected: Callable[[], None]) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
                if self._mode == "declare":
                    await _declare(channel, self._topology)
                exchange = await channel.get_exchange(self._topology.exchange, ensure=False)
            self._connection, self._exchange = connection, exchange
            self._reconnect.clear()
            note_connected()
            await wait_for_end(connection, channel, self._reconnect)
        finally:
            self._connection = self._exchange = None


async def _declare(channel: AbstractChannel, topology: Topology) -> None:
    exchanges = {
        name: await channel.declare_exchange(name, aio_pika.ExchangeType.TOPIC, durable=True)
        for name in (topology.exchange, topology.dead_exchange)
    }
    for queue in topology.queues:
        declared = await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))
        for key in queue.routing_keys:
            await declared.bind(exchanges[queue.exchange], key)


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
