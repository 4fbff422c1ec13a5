"""The metric of waiting messages, on RabbitMQ and on Redis as the broker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from kombu import Connection

from common.topology import TASK_QUEUES, QueueName
from tests.support.queues import EXTENSION_CODE, TOPOLOGY
from tests.support.running_dwgate import wait_for
from tests.support.tcp_relay import TcpRelay, Toxic
from workers import metrics
from workers.broker import kombu_queues
from workers.broker.queue_lengths import QueueLengths
from workers.celery_app import create_app
from workers.process.monitoring import queue_watch
from workers.services import Services
from workers.settings import WorkerSettings


@contextmanager
def watching(broker_url: str, redis_url: str) -> Iterator[Services]:
    """Run the loop, twenty times as fast."""
    settings = WorkerSettings.model_validate(
        {
            "broker_url": broker_url,
            "redis_url": redis_url,
            "extension_code": EXTENSION_CODE,
            "region": "cn-shanghai",
        }
    )
    services = Services(settings, create_app(settings), is_io_pool=True)
    stop = threading.Event()
    thread = threading.Thread(target=queue_watch.run, args=(services, stop))
    thread.start()
    try:
        yield services
    finally:
        stop.set()
        thread.join(30)
        services.ledger.client.close()
        services.app.close()
    assert not thread.is_alive()


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_watch, "POLL_SECONDS", 0.25)
    metrics.MESSAGES_WAITING.clear()


def waiting() -> dict[str, float]:
    """Return the series of the metric, by queue."""
    samples = [sample for family in metrics.MESSAGES_WAITING.collect() for sample in family.samples]
    return {sample.labels["queue"]: sample.value for sample in samples}


def declare_and_fill(url: str, counts: dict[QueueName, int]) -> None:
    """Declare queues, and publish this number of messages to each."""
    with Connection(url) as connection:
        for name, count in counts.items():
            kombu_queues.build_amqp_queue(TOPOLOGY[name], declare=True)(connection.default_channel).declare()
            with connection.Producer() as producer:
                for _ in range(count):
                    queue = TOPOLOGY[name]
                    producer.publish({}, exchange=queue.exchange, routing_key=queue.routing_key)


def test_messages_that_wait_in_rabbitmq_are_counted_again_after_a_lost_connection(
    broker_url: str, clean_redis_url: str
) -> None:
    declare_and_fill(broker_url, {QueueName.CHECKS_CPU: 3, QueueName.CHECKS_IO: 0})
    parts = urlsplit(broker_url)
    assert parts.port
    relay = TcpRelay(parts.port)
    relay.start()
    try:
        address = parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{relay.port}")
        with watching(address.geturl(), clean_redis_url):
            wait_for(lambda: waiting() == {"checks.cpu": 3, "checks.io": 0}, 30)
            relay.toxic = Toxic(reset_peer=True)
            wait_for(lambda: relay.disturbed)
            declare_and_fill(broker_url, {QueueName.REPORTS: 1})
            relay.toxic = Toxic()
            wait_for(lambda: waiting() == {"checks.cpu": 3, "checks.io": 0, "reports": 1}, 30)
    finally:
        relay.close()


def test_messages_that_wait_in_redis_are_counted(clean_redis_url: str) -> None:
    with watching(clean_redis_url, clean_redis_url) as services:
        wait_for(lambda: waiting() == dict.fromkeys(map(str, TASK_QUEUES), 0))
        services.ledger.client.rpush(TOPOLOGY[QueueName.CHECKS_CPU].name, "a", "b")
        wait_for(lambda: waiting()["checks.cpu"] == 2)


def test_a_broker_that_is_away_is_an_error_and_not_an_empty_queue() -> None:
    settings = WorkerSettings.model_validate(
        {
            "broker_url": "amqp://guest:guest@127.0.0.1:1/",
            "redis_url": "redis://127.0.0.1:1/0",
            "extension_code": EXTENSION_CODE,
            "region": "cn-shanghai",
        }
    )
    with pytest.raises(OSError, match="refused"):
        QueueLengths(settings).read([QueueName.INTAKE])
