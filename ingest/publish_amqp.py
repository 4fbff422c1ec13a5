"""Publishing to RabbitMQ: confirmed, mandatory and persistent, over one connection that is kept up.

The channel of aiormq (aio-pika's engine) is used as it is, without aio-pika's message objects. A keeper
connects, declares the topology, waits for the connection's end, and begins anew; nobody who publishes ever
waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, cast

import aiormq
import structlog
from aiormq.abc import AbstractConnection
from aiormq.exceptions import AMQPError, DeliveryError, PublishError
from yarl import URL

from common import topology
from ingest.message import Message
from ingest.properties import EncodedProperties
from ingest.publish import PUBLISH_SECONDS, READY_SECONDS, NotDurable

IN_FLIGHT = 256
"""Messages that wait for their confirm at once; more hardly publish faster, and cost latency."""

HEARTBEAT_SECONDS = 5
CONNECT_SECONDS = 5.0
PAUSE_SECONDS = 0.5
"""How long to wait before the next try to connect."""

FAULTS = (AMQPError, OSError, RuntimeError)
"""What aiormq raises when connection or channel are gone; OSError holds TimeoutError and ConnectionError."""

_log = structlog.get_logger()


class AmqpPublisher:
    """Publishes to RabbitMQ.

    Args:
        url: `amqp://…` or `amqps://…`.
        mode: `declare` makes exchanges and queues on each connection, `existing` takes them as they are.
    """

    def __init__(self, url: str, mode: Literal["declare", "existing"] = "declare") -> None:
        self._url = URL(url).update_query(heartbeat=HEARTBEAT_SECONDS)
        self._mode = mode
        self._window = asyncio.Semaphore(IN_FLIGHT)
        self._connection: AbstractConnection | None = None
        self._channel: aiormq.Channel | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to connect, in the background."""
        self._keeper = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """End the connection."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    async def ready(self) -> bool:
        """Return whether the broker opens a channel now."""
        if self._connection is None:
            return False
        try:
            with _faults():
                async with asyncio.timeout(READY_SECONDS):
                    probe = await self._connection.channel(publisher_confirms=False)
                    await probe.close()
        except NotDurable:
            return False
        return True

    async def publish(self, message: Message) -> None:
        """Publish `message` and wait for the confirm.

        Raises:
            NotDurable: no connection, no queue, no confirm in time, or the broker refused.
        """
        with _faults():
            async with asyncio.timeout(PUBLISH_SECONDS), self._window:
                await self._send(message)

    async def _send(self, message: Message) -> None:
        channel = self._channel
        if channel is None:
            raise NotDurable("no connection to the broker")
        try:
            await channel.basic_publish(
                message.body,
                exchange=topology.EXCHANGE,
                routing_key=topology.ROUTING_EVENT,
                properties=EncodedProperties(message),
                mandatory=True,
                wait=False,
            )
        except PublishError:
            await channel.close()  # the keeper then declares what is missing
            raise NotDurable("no queue takes the message") from None
        except DeliveryError:
            raise NotDurable("the broker refused the message") from None

    async def _keep(self) -> None:
        told = ""
        while True:
            try:
                with _faults():
                    await self._session()
                reason = "closed"
            except NotDurable as error:
                reason = str(error)
            if reason != told:
                _log.warning("broker_lost", reason=reason)
            told = reason
            await asyncio.sleep(PAUSE_SECONDS)

    async def _session(self) -> None:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await aiormq.connect(self._url)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                channel = await _open(connection)
                if self._mode == "declare":
                    await _declare(channel)
            self._connection, self._channel = connection, channel
            _log.info("broker_connected", host=self._url.host)
            await asyncio.wait((connection.closing, channel.closing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._connection = self._channel = None
            await _close(connection)


@contextmanager
def _faults() -> Iterator[None]:
    """Turn every way in which aiormq says that it cannot go on into NotDurable."""
    task = asyncio.current_task()
    try:
        yield
    except asyncio.CancelledError:
        # aiormq cancels what waits on a connection that it gives up: nobody cancelled us.
        if task is None or task.cancelling():
            raise
        raise NotDurable("the connection was given up") from None
    except TimeoutError:
        raise NotDurable("no answer in time") from None
    except FAULTS as error:
        raise NotDurable(f"{type(error).__name__}: {error}") from error


async def _open(connection: AbstractConnection) -> aiormq.Channel:
    channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
    return cast("aiormq.Channel", channel)  # the abstract one does not know `wait`


async def _declare(channel: aiormq.Channel) -> None:
    for exchange in (topology.EXCHANGE, topology.DEAD_EXCHANGE):
        await channel.exchange_declare(exchange, exchange_type="topic", durable=True)
    for queue in topology.QUEUES:
        await _declare_queue(channel, queue, topology.EXCHANGE)
    await _declare_queue(channel, topology.DEAD, topology.DEAD_EXCHANGE)


async def _declare_queue(channel: aiormq.Channel, queue: topology.Queue, exchange: str) -> None:
    await channel.queue_declare(queue.name, durable=True, arguments=dict(queue.arguments))
    for key in queue.routing_keys:
        await channel.queue_bind(queue.name, exchange, key)


async def _close(connection: AbstractConnection) -> None:
    try:
        async with asyncio.timeout(READY_SECONDS):
            await connection.close()
    except FAULTS:
        _log.debug("broker_close_failed")
