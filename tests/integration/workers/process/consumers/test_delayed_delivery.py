"""What a process declares for delayed delivery, on a real RabbitMQ."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from amqp.exceptions import NotFound
from celery import Celery
from kombu.transport.native_delayed_delivery import (
    CELERY_DELAYED_DELIVERY_EXCHANGE,
    calculate_routing_key,
    level_name,
)
from pydantic import SecretStr

from common.topology import QueueName
from tests.support.queues import TOPOLOGY
from workers.celery_app import create_app
from workers.process.consumers.delayed_delivery import DelayedDelivery
from workers.services import Services
from workers.settings import WorkerSettings
from workers.tasks import register_tasks

LEVEL = level_name(13)


@pytest.fixture
def app(worker_settings: WorkerSettings, broker_url: str) -> Iterator[Celery]:
    settings = worker_settings.model_copy(update={"broker_url": SecretStr(broker_url)})
    app = create_app(settings)
    register_tasks(app, Services(settings, app))
    with app.connection_for_write() as connection:
        for queue in app.amqp.queues.values():
            queue(connection.default_channel).declare()
    yield app
    app.close()


def start(app: Celery, queue: QueueName) -> None:
    """Start the step in a process that consumes `queue`."""
    app.amqp.queues.select([TOPOLOGY[queue].name])
    consumer = SimpleNamespace(app=app)
    DelayedDelivery(consumer).start(consumer)


def has_queue(app: Celery, name: str) -> bool:
    with app.connection_for_write() as connection:
        try:
            connection.default_channel.queue_declare(name, passive=True)
        except NotFound:
            return False
    return True


def delivered(app: Celery) -> int:
    """Publish a report whose delay has ended, and return how many the queue has then."""
    reports = TOPOLOGY[QueueName.REPORTS]
    key = calculate_routing_key(1, reports.routing_key)
    with app.connection_for_write(transport_options={"confirm_publish": True}) as connection:
        channel = connection.default_channel
        channel.confirm_select()
        channel.basic_publish_confirm(channel.prepare_message(b"{}"), CELERY_DELAYED_DELIVERY_EXCHANGE, key)
        return int(channel.queue_declare(reports.name, passive=True).message_count)


@pytest.mark.parametrize("queue", [QueueName.INTAKE, QueueName.REPORTS])
def test_the_first_process_declares_everything(app: Celery, queue: QueueName) -> None:
    start(app, queue)
    assert all(has_queue(app, level_name(level)) for level in range(28))
    assert delivered(app) == 1


def test_later_ones_bind_their_queues_and_the_intake_declares_what_is_missing(app: Celery) -> None:
    start(app, QueueName.INTAKE)
    key = f"#.{TOPOLOGY[QueueName.REPORTS].routing_key}"
    with app.connection_for_write() as connection:
        channel = connection.default_channel
        channel.queue_delete(LEVEL)
        channel.exchange_unbind(TOPOLOGY.exchange, CELERY_DELAYED_DELIVERY_EXCHANGE, key)
    assert delivered(app) == 0

    start(app, QueueName.REPORTS)
    assert delivered(app) == 1
    assert not has_queue(app, LEVEL)

    start(app, QueueName.INTAKE)
    assert has_queue(app, LEVEL)
