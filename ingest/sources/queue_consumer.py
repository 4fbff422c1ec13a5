"""Consumes the queue that EventBridge's RabbitMQ target writes to, with aio-pika.

A message is acknowledged only after its event is confirmed by dwgate's own broker, or is in the reject list.
While neither is possible it is held and tried again. Nothing is returned to the queue meanwhile: each
delivery counts towards the queue's delivery limit, and ApsaraMQ allows 20 returns a second. The prefetch
limits how many are held.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import NoReturn

import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue

from common import clock as fleet_clock
from common.tls import SYSTEM_STORE, TlsFiles
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
from ingest.http_protocol import MAX_BODY_BYTES
from ingest.metrics import Cause, QueueMetrics
from ingest.receiver import Receiver, Unavailable
from ingest.signature import AuthenticationFailed
from ingest.sources.retry_gate import RetryGate

MAX_RECONNECT_SECONDS = 5.0
"""Maximum seconds between two attempts to connect."""

OWN_BROKER_SECONDS = 0.5
"""Seconds between two looks whether the own broker responds, before the queue is consumed."""

DRAIN_SECONDS = 5.0
"""How long events whose confirm is awaited may take when the process stops; a publish takes 2 s."""

_log = structlog.get_logger()


class QueueConsumer:
    """Hands the messages of one queue to a receiver.

    Args:
        url: `amqp://…` or `amqps://…`; several nodes are separated by semicolons.
        queue: name of the queue, which must exist.
        receiver: processes the bodies.
        metrics: the metrics to update.
        can_publish: returns whether the own broker responds; until then nothing is consumed.
        prefetch: maximum number of messages that are held unacknowledged.
        tls: files for verified TLS with `amqps://`.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        url: str,
        queue: str,
        receiver: Receiver,
        metrics: QueueMetrics,
        *,
        can_publish: Callable[[], Awaitable[bool]],
        prefetch: int,
        tls: TlsFiles = SYSTEM_STORE,
        clock: Callable[[], float] = fleet_clock.now,
    ) -> None:
        self._nodes = Nodes(url, tls)
        self._queue_name = queue
        self._receiver = receiver
        self._metrics = metrics
        self._can_publish = can_publish
        self._prefetch = prefetch
        self._clock = clock
        self._gates = defaultdict[Cause, RetryGate](RetryGate)
        self._messages: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Task[None]] = set()
        self._consumer: tuple[AbstractQueue, str] | None = None
        self._is_stopping = False
        self._keeper: asyncio.Task[NoReturn] | None = None
        metrics.watch_unacknowledged(lambda: len(self._messages))
        metrics.watch_source(lambda: self.is_consuming)

    @property
    def is_consuming(self) -> bool:
        """Whether the source delivers messages to this process."""
        return self._consumer is not None

    async def start(self) -> None:
        """Start to connect in the background."""
        session = keep_connected(self._session, "source", max_pause=MAX_RECONNECT_SECONDS)
        self._keeper = asyncio.create_task(session)

    async def close(self) -> None:
        """Stop consuming, finish the events whose confirm is awaited, and return all others to the queue."""
        self._is_stopping = True
        for task in self._waiting:
            task.cancel()
        if self._consumer is not None:
            await _cancel(*self._consumer)
        if self._messages:
            await asyncio.wait(self._messages, timeout=DRAIN_SECONDS)
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper}, timeout=CLOSE_SECONDS)

    async def _session(self, note_connected: NoteConnected) -> None:
        while not await self._can_publish():  # noqa: ASYNC110 - the broker sends no event
            await asyncio.sleep(OWN_BROKER_SECONDS)
        await self._nodes.use_in_turn(self._serve, note_connected)

    async def _serve(self, connection: AbstractConnection, note_connected: Callable[[], None]) -> None:
        try:
            cancelled = asyncio.Event()
            async with asyncio.timeout(CONNECT_SECONDS):
                channel = await connection.channel(publisher_confirms=False)
                await self._consume(channel, cancelled)
            note_connected()
            await wait_for_end(connection, channel, cancelled)
        finally:
            self._consumer = None
            # Their acknowledgements would fail: the source delivers these messages again.
            for task in self._messages:
                task.cancel()

    async def _consume(self, channel: AbstractChannel, cancelled: asyncio.Event) -> None:
        """Consume the queue; `cancelled` is set if RabbitMQ ends that, such as when the queue is deleted."""
        underlay = await channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(lambda _: cancelled.set())
        await channel.set_qos(prefetch_count=self._prefetch)
        queue = await channel.get_queue(self._queue_name, ensure=False)
        self._consumer = (queue, await queue.consume(self._on_message))

    async def _on_message(self, message: AbstractIncomingMessage) -> None:
        if self._is_stopping:
            return
        self._metrics.last_message.set(self._clock())
        if message.redelivered:
            self._metrics.redelivered.inc()
        # A task of our own: aiormq cancels its own ones without waiting for them.
        task = asyncio.create_task(self._handle(message))
        self._messages.add(task)
        task.add_done_callback(self._messages.discard)

    async def _handle(self, message: AbstractIncomingMessage) -> None:
        """Take a message and acknowledge it."""
        take = partial(self._take, message.body, self._clock())
        try:
            await take()
        except Unavailable as error:
            if not await self._repeat(error.cause, take):
                return
        with suppress(ConnectionLost):  # it is delivered again, and is a duplicate then
            async with connection_errors():
                await message.ack()

    async def _repeat(self, cause: Cause, take: Callable[[], Awaitable[None]]) -> bool:
        """Repeat until the event is durable; return False if the process stops before."""
        task = asyncio.current_task()
        if self._is_stopping or task is None:
            return False
        self._waiting.add(task)
        try:
            await self._gates[cause].repeat(take)
        finally:
            self._waiting.discard(task)
        return True

    async def _take(self, body: bytes, arrived_at: float) -> None:
        """Make one event durable, or store a message that is none in the reject list.

        Raises:
            Unavailable: neither is possible now.
        """
        if len(body) > MAX_BODY_BYTES:
            await self._receiver.reject(body, f"body is longer than {MAX_BODY_BYTES} bytes")
            return
        try:
            await self._receiver.receive(body, arrived_at)
        except AuthenticationFailed as error:
            await self._receiver.reject(body, "aliyunaccountid is of another account")
            self._metrics.rejected[error.reason].inc()
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - a message that shows a defect must not be delivered for ever
            _log.error("message_failed", exc_info=True)
            await self._receiver.reject(
                body, "it ended with an unexpected error; see message_failed in the log"
            )


async def _cancel(queue: AbstractQueue, consumer_tag: str) -> None:
    """Ask for no more messages; a source that does not answer delivers none either."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS), connection_errors():
            await queue.cancel(consumer_tag)
    except (ConnectionLost, TimeoutError):
        _log.debug("consumer_not_cancelled")
