"""Keeps refused messages in the ledger, where the broker has no dead letters: on Redis."""

from __future__ import annotations

from typing import Any

from celery import signals

from workers.broker import kombu_queues
from workers.broker.redis_transport import register_for_consumer
from workers.messages.refused import refuse
from workers.messages.task_message import raw_body
from workers.services import Services

NO_MESSAGE = "it is no message"


def keep_in_ledger(services: Services) -> None:
    """Store what the consumer of this process refuses with the rejects of the ledger.

    Args:
        services: of this process, before its Celery worker starts.
    """

    def keep_message(message: Any, exc: Exception | None, **_: Any) -> None:
        services.ledger.reject(raw_body(message), str(exc))

    def keep_entry(name: str, entry: bytes) -> None:
        refuse(services, kombu_queues.queue_label(services.settings.topology, name), entry, NO_MESSAGE)

    signals.task_rejected.connect(keep_message, weak=False)
    register_for_consumer(keep_entry)
