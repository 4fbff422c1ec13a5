"""Declares Celery's delayed delivery without asking the broker for every part of it at each start.

Celery declares 28 exchanges and queues in 110 requests, in each process. That takes as long as the rest of
the start of a process.
"""

from __future__ import annotations

from amqp.exceptions import NotFound
from celery.worker.consumer import delayed_delivery
from celery.worker.consumer.consumer import Consumer
from kombu import Connection, Exchange
from kombu.transport.native_delayed_delivery import CELERY_DELAYED_DELIVERY_EXCHANGE

from common import topology
from common.topology import QueueName


class DelayedDelivery(delayed_delivery.DelayedDelivery):  # type: ignore[misc]  # Celery ships no types
    """Celery's step: the intake declares everything, other processes only if it was never declared."""

    def _setup_delayed_delivery(self, c: Consumer, broker_url: str) -> None:
        names = c.app.tasks[topology.TASK_INTAKE].topology
        if names[QueueName.INTAKE].name not in c.app.amqp.queues.consume_from:
            with c.app.connection_for_write(url=broker_url) as connection:
                if _is_declared(connection):
                    self._bind_queues(c.app, connection)
                    return
        super()._setup_delayed_delivery(c, broker_url)


def _is_declared(connection: Connection) -> bool:
    """Whether the exchange exists that Celery declares last."""
    with connection.channel() as channel:
        try:
            Exchange(CELERY_DELAYED_DELIVERY_EXCHANGE)(channel).declare(passive=True)
        except NotFound:
            return False
    return True
