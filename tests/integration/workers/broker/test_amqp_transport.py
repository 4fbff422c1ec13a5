"""Publishing to a real RabbitMQ that blocks publishers, or hangs."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from kombu import Connection, Producer, Queue

from common.tls import SYSTEM_STORE
from tests.conftest import Broker
from tests.support.engines import RabbitMQ
from workers.broker.amqp_transport import BrokerUnavailable, new_connection

QUEUE = "some"


@pytest.fixture
def connection(broker_url: str) -> Iterator[Connection]:
    with new_connection(broker_url, SYSTEM_STORE, connect_seconds=5) as connection:
        Queue(QUEUE)(connection.default_channel).declare()
        yield connection


def publish(connection: Connection) -> None:
    policy = {"max_retries": 1, "interval_start": 0.1}
    Producer(connection).publish({}, routing_key=QUEUE, retry=True, retry_policy=policy)


def test_a_publish_fails_at_once_while_rabbitmq_blocks_publishers(
    rabbitmq: Broker, connection: Connection
) -> None:
    assert isinstance(rabbitmq, RabbitMQ)
    publish(connection)
    rabbitmq.set_alarm(is_on=True)
    try:
        for _ in range(2):
            with pytest.raises(BrokerUnavailable, match="it blocks publishers"):
                publish(connection)
    finally:
        rabbitmq.set_alarm(is_on=False)
    publish(connection)


def test_a_publish_to_a_broker_that_hangs_ends_in_time(rabbitmq: Broker, connection: Connection) -> None:
    publish(connection)
    rabbitmq.stop_process()
    try:
        started = time.monotonic()
        with pytest.raises(BrokerUnavailable, match="no confirm within 2 s"):
            publish(connection)
        assert time.monotonic() - started < 60, "it waits for a limited time"
    finally:
        rabbitmq.resume()
    publish(connection)
