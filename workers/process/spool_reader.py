"""Runs spooled tasks in the Celery worker of this process, as if the broker had delivered them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from celery.worker.state import reserved_requests
from kombu.message import Message
from kombu.serialization import dumps

from common.topology import QueueName
from workers.broker.dispatch import time_limits
from workers.broker.spool import SpooledTask
from workers.recovery.engine_loop import run_until_stopped
from workers.services import Services

POLL_SECONDS = 0.5
"""Interval at which Redis is asked for spooled tasks, while there are any."""

IDLE_POLL_SECONDS = 2.0
IDLE_AFTER_SECONDS = 10.0
"""Interval when there were none for that long: the broker takes all tasks, as it nearly always does."""

log = structlog.get_logger()


class SpoolReader:
    """Takes spooled tasks of some queues while the process has capacity for them.

    Args:
        services: of this process.
        consumer: the consumer of its Celery worker.
        queues: the queues that the process serves.
        concurrency: number of tasks that it runs at a time.
    """

    def __init__(
        self, services: Services, consumer: Any, queues: Sequence[QueueName], concurrency: int
    ) -> None:
        self._app = services.app
        self._names = services.settings.topology
        self._spool = services.spool
        self._consumer = consumer
        self._queues = queues
        self._concurrency = concurrency
        self._ended: deque[Callable[[], None]] = deque()
        self._found_at = time.monotonic()

    def run(self, stop: threading.Event) -> None:
        """Take tasks until `stop` is set; the lease of one that has not ended then expires."""

        def step() -> None:
            self._step()
            if time.monotonic() - self._found_at > IDLE_AFTER_SECONDS:
                stop.wait(IDLE_POLL_SECONDS - POLL_SECONDS)

        run_until_stopped(step, stop, component="spool_reader", every=POLL_SECONDS)

    def _step(self) -> None:
        while self._ended:
            self._ended[0]()
            self._ended.popleft()
        if self._consumer.connection is None:
            return  # no event loop is running, which would take a task
        free = self._concurrency - len(reserved_requests)
        if free > 0:
            for queue, task in self._spool.take(self._queues, free):
                self._found_at = time.monotonic()
                self._consumer.call_soon(self._deliver, queue, task)

    def _deliver(self, queue: QueueName, task: SpooledTask) -> None:
        """Hand a task to the worker, in its event loop."""
        try:
            self._consumer.create_task_handler()(self._message(queue, task))
        except Exception as error:  # noqa: BLE001 - the event loop must continue
            log.error("spooled_task_failed", task_id=task.id, error=type(error).__name__)

    def _message(self, queue: QueueName, task: SpooledTask) -> Message:
        headers, properties, body, _ = self._app.amqp.as_task_v2(
            task.id,
            task.name,
            [*task.args],
            {**task.kwargs},
            retries=task.retries,
            argsrepr=task.display,
            kwargsrepr="{}",
            **time_limits(queue, task.kwargs),
        )
        content_type, encoding, content = dumps(body, serializer="json")
        return SpooledMessage(
            content,
            delivery_tag=task.id,
            content_type=content_type,
            content_encoding=encoding,
            headers=headers,
            properties=properties,
            delivery_info={
                "exchange": "",
                "routing_key": self._names[queue].routing_key,
                "redelivered": task.was_delivered,
            },
            on_end=lambda requeue: self._end(queue, task, requeue=requeue),
        )

    def _end(self, queue: QueueName, task: SpooledTask, *, requeue: bool) -> None:
        # Called in the event loop, which must not wait for Redis.
        end = self._spool.return_task if requeue else self._spool.remove
        self._ended.append(lambda: end(queue, task))


class SpooledMessage(Message):  # type: ignore[misc]  # kombu ships no types
    """A message that did not come from the broker.

    Args:
        on_end: called once when the message has ended, with whether it is to be delivered again.
    """

    def __init__(self, *args: Any, on_end: Callable[[bool], None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._on_end = on_end

    def ack(self, multiple: bool = False) -> None:  # noqa: ARG002 - kombu's signature
        """Remove the task."""
        self._finish("ACK", requeue=False)

    def reject(self, requeue: bool = False) -> None:
        """Remove the task, or return it."""
        self._finish("REQUEUED" if requeue else "REJECTED", requeue=requeue)

    def requeue(self) -> None:
        """Return the task."""
        self.reject(requeue=True)

    def _finish(self, state: str, *, requeue: bool) -> None:
        if not self.acknowledged:
            self._state = state
            self._on_end(requeue)
