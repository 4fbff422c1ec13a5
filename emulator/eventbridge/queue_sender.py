"""The emulator of EventBridge's RabbitMQ target: publishes each event to a queue, retried like other targets.

With the transform *Complete event* the body is the CloudEvents JSON of the event (help page "Route events to
ApsaraMQ for RabbitMQ"). The other properties of a message are not published, so the emulator sets the least:
persistent, without message id, content type and headers. It publishes with confirms and mandatory, so that a
message that no queue takes is tried again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from types import TracebackType

import aio_pika
import orjson
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import AMQPError

from common.json_types import Json
from emulator.eventbridge.sender import deliver_with_retries

CONNECTION_ERRORS = (AMQPError, OSError, RuntimeError)
"""Raised by aio-pika when a message is not confirmed, or there is no connection."""


@dataclass(frozen=True, slots=True)
class QueueDelivery:
    """The outcome of a delivery to a queue.

    Attributes:
        attempts: number of messages published.
        fault: the type of the error of the last attempt; None if it was confirmed.
    """

    attempts: int
    fault: str | None = None

    @property
    def delivered(self) -> bool:
        """Whether a queue has the event."""
        return self.fault is None


class QueueSender:
    """Publishes events to one queue; an asynchronous context manager.

    Args:
        url: `amqp://…` or `amqps://…`.
        queue: name of the queue, which must exist.
        backoff_scale: factor on the waits between attempts; 1 for EventBridge's own 10–20 s.
        timeout: seconds per attempt.
    """

    def __init__(self, *, url: str, queue: str, backoff_scale: float = 1.0, timeout: float = 3.0) -> None:
        self._url = url
        self._queue = queue
        self._backoff_scale = backoff_scale
        self._timeout = timeout
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None

    async def __aenter__(self) -> QueueSender:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def send(self, event: Json) -> QueueDelivery:
        """Publish an event, with up to three retries until a queue has it."""
        return await deliver_with_retries(partial(self._attempt, orjson.dumps(event)), self._backoff_scale)

    async def _attempt(self, body: bytes, attempt: int) -> QueueDelivery:
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        try:
            async with asyncio.timeout(self._timeout):
                channel = await self._open_channel()
                await channel.default_exchange.publish(message, self._queue, mandatory=True)
        except CONNECTION_ERRORS as error:
            return QueueDelivery(attempt, type(error).__name__)
        return QueueDelivery(attempt)

    async def _open_channel(self) -> AbstractChannel:
        if self._connection is None or self._connection.is_closed:
            self._connection, self._channel = await aio_pika.connect(self._url), None
        if self._channel is None or self._channel.is_closed:
            self._channel = await self._connection.channel(on_return_raises=True)
        return self._channel
