"""Keeps refused messages in the ledger, where the broker has no dead letters: on Redis."""

from __future__ import annotations

from typing import Any

from celery import Celery, signals

from workers.broker import kombu_queues
from workers.broker.redis_transport import consuming_transport
from workers.messages.refused import refuse
from workers.messages.task_message import raw_body
from workers.services import Services

NO_MESSAGE = "it is no message"


def keep_in_ledger(app: Celery, services: Services) -> None:
    """Store what the consumer of this process refuses with the rejects of the ledger.

    Args:
        app: the Celery application, before its worker starts.
        services: of this process.
    """

    def keep_message(message: Any, exc: Exception | None, **_: Any) -> None:
        services.ledger.reject(raw_body(message), str(exc))

    def keep_entry(name: str, entry: bytes) -> None:
        refuse(services, kombu_queues.queue_label(services.settings.topology, name), entry, NO_MESSAGE)

    signals.task_rejected.connect(keep_message, weak=False)
    app.conf.broker_transport = consuming_transport(keep_entry)
