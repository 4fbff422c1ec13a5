"""Group commit: events that arrive while others are being published are sent together in one message.

A single event is sent at once, without waiting for others. Under load one confirm of the broker covers many
events; the confirm is most of the cost of an event.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from common.events import Event
from ingest.celery_message import SerializedEvent, build_message
from ingest.publishers.base import PUBLISH_SECONDS, Publisher, PublishFailed

MAX_CONCURRENT_SENDS = 4
"""Maximum number of messages that wait for their confirm at the same time."""

MAX_BATCH_EVENTS = 32
"""Maximum number of events in a message; a worker processes them one after the other."""

MAX_BATCH_BYTES = 256 * 1024
"""Maximum bytes of events in a message, unless a single event is larger."""

MAX_WAITING_EVENTS = 4096
"""Maximum number of events that wait to be sent; further ones are answered 503 at once."""


class EventBatcher:
    """Publishes events, several in one message under load.

    Args:
        publisher: publishes messages durably.
        observe: called with the duration of each confirm, in seconds.
    """

    def __init__(self, publisher: Publisher, observe: Callable[[float], None]) -> None:
        self._publisher = publisher
        self._observe = observe
        self._waiting: deque[tuple[SerializedEvent, asyncio.Future[None]]] = deque()
        self._sending: set[asyncio.Task[None]] = set()

    async def publish(self, event: Event) -> None:
        """Publish `event` and wait until it is durable, at most PUBLISH_SECONDS.

        Raises:
            PublishFailed: the broker did not confirm in time, or rejected it. The event may still arrive.
        """
        if len(self._waiting) >= MAX_WAITING_EVENTS:
            raise PublishFailed("too many events are waiting for the broker")
        durable = asyncio.get_running_loop().create_future()
        self._waiting.append((SerializedEvent.from_event(event), durable))
        self._send_next()
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                await durable
        except TimeoutError:
            raise PublishFailed("no confirm from the broker in time") from None

    def _send_next(self) -> None:
        while self._waiting and len(self._sending) < MAX_CONCURRENT_SENDS:
            if batch := self._next_batch():
                task = asyncio.create_task(self._send(batch))
                self._sending.add(task)
                task.add_done_callback(self._on_sent)

    def _next_batch(self) -> list[tuple[SerializedEvent, asyncio.Future[None]]]:
        batch: list[tuple[SerializedEvent, asyncio.Future[None]]] = []
        size = 0
        while self._waiting and len(batch) < MAX_BATCH_EVENTS:
            item, durable = self._waiting[0]
            size += len(item.content)
            if batch and size > MAX_BATCH_BYTES:
                break
            self._waiting.popleft()
            if not durable.done():  # else its request timed out or was cancelled
                batch.append((item, durable))
        return batch

    async def _send(self, batch: list[tuple[SerializedEvent, asyncio.Future[None]]]) -> None:
        fault: PublishFailed | None = None
        started = time.perf_counter()
        try:
            await self._publisher.publish(build_message([item for item, _ in batch]))
            self._observe(time.perf_counter() - started)
        except PublishFailed as error:
            fault = error
        for _, durable in batch:
            if durable.done():
                continue
            if fault:
                durable.set_exception(fault)
            else:
                durable.set_result(None)

    def _on_sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._send_next()
