"""A Celery consumer that no message can end: what cannot be read is refused before Celery processes it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import structlog
from celery import signals
from celery.worker.consumer import Consumer as CeleryConsumer
from vine import promise as vine_promise

from common import topology
from common.events import UnknownSchema
from common.topology import Topology
from workers import metrics
from workers.broker import kombu_queues
from workers.messages.events import read_events
from workers.messages.task_message import (
    MessageInvalid,
    check_payload,
    read_check_arguments,
    read_headers,
)
from workers.process.consumers.connecting_consumer import ConnectingConsumer

DELAYED_DELIVERY = "celery.worker.consumer.delayed_delivery:DelayedDelivery"
"""Celery's step that declares what delays tasks."""

log = structlog.get_logger()


class Consumer(ConnectingConsumer):
    """A consumer that refuses every message that dwgate does not send.

    RabbitMQ moves a refused message to the dead letters. Redis has none: there a receiver of Celery's signal
    `task_rejected`, which is sent with the message and `MessageInvalid`, stores it.
    """

    class Blueprint(CeleryConsumer.Blueprint):  # type: ignore[misc]
        """The steps of Celery's consumer, with a shorter one for delayed delivery."""

        default_steps: tuple[str, ...] = tuple(
            "workers.process.consumers.delayed_delivery:DelayedDelivery" if step == DELAYED_DELIVERY else step
            for step in CeleryConsumer.Blueprint.default_steps
        )

    def create_task_handler(self, promise: Any = vine_promise) -> Callable[[Any], None]:
        """Celery's hook: return the function that handles each message of a task queue."""
        handle = super().create_task_handler(promise)

        def handle_readable(message: Any) -> None:
            try:
                read_message(message, self._topology)
            except MessageInvalid as error:
                self._refuse(message, error)
            else:
                handle(message)

        return handle_readable

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Celery's hook for a message that cannot be decompressed or decoded."""
        self._refuse(message, MessageInvalid(f"its body cannot be decoded ({type(exc).__name__})"))

    @property
    def _topology(self) -> Topology:
        found: Topology = self.app.tasks[topology.TASK_INTAKE].topology
        return found

    def _refuse(self, message: Any, error: MessageInvalid) -> None:
        queue = kombu_queues.queue_label(self._topology, _routing_key(message))
        log.error("message_refused", queue=queue, reason=str(error))
        metrics.MESSAGES_REFUSED.labels(queue).inc()
        signals.task_rejected.send(sender=self, message=message, exc=error)
        if not _is_acknowledged_on_delivery(message):
            message.reject_log_error(logging.getLogger(__name__), self.connection_errors)


def read_message(message: Any, names: Topology) -> None:
    """Check a message of a task queue, and remove headers that dwgate does not send.

    Raises:
        MessageInvalid: it is none that dwgate sends to this queue.
    """
    headers = read_headers(message.headers)
    try:
        payload = message.payload
    except Exception as error:  # noqa: BLE001 - decoders raise whatever the content makes them raise
        raise MessageInvalid(f"its body cannot be decoded ({type(error).__name__})") from None
    args, kwargs = check_payload(headers["task"], payload)
    if headers["task"] == topology.TASK_CHECK:
        _require_check(kwargs)
    elif headers["task"] == topology.TASK_INTAKE:
        _require_events(args)
    try:
        kombu_queues.find_queue(names, _routing_key(message))
    except LookupError:
        raise MessageInvalid("it was not sent to this queue by a routing key of it") from None
    message.headers = headers


def _require_check(arguments: dict[str, Any]) -> None:
    try:
        read_check_arguments(arguments)
    except UnknownSchema:
        return  # The task waits for a newer worker.


def _require_events(arguments: list[Any]) -> None:
    read = read_events(arguments)
    if not read.events and not read.newer:
        raise MessageInvalid(read.invalid[0][1])


def _routing_key(message: Any) -> str:
    return str((message.delivery_info or {}).get("routing_key"))


def _is_acknowledged_on_delivery(message: Any) -> bool:
    # Messages of Celery's remote control are: kombu would reject them all the same, which closes the channel.
    consumers = getattr(message.channel, "no_ack_consumers", None) or ()
    return (message.delivery_info or {}).get("consumer_tag") in consumers
