"""Reads how many messages wait in the queues of a fleet, on either broker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import redis
from amqp.exceptions import NotFound
from kombu import Connection

from common.ledger import connect
from common.topology import Queue, QueueName
from workers.broker import amqp_transport
from workers.settings import WorkerSettings

CONNECT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class QueueUse:
    """The use of one queue: messages that wait in it, and its consumers."""

    messages: int
    consumers: int


class QueueLengths:
    """Reads lengths again and again, over one connection, which is opened again after a fault.

    Args:
        settings: with the broker and the fleet's names.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._amqp: Connection | None = None
        self._redis: redis.Redis | None = None

    def read(self, names: Iterable[QueueName]) -> dict[QueueName, int]:
        """Return the number of messages that wait in each queue that exists.

        Raises:
            OSError, amqp.exceptions.AMQPError, kombu.exceptions.KombuError, redis.RedisError: the broker is
                unavailable.
        """
        try:
            return self._read(names)
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        if self._amqp:
            self._amqp.collect()
        if self._redis:
            self._redis.close()
        self._amqp = self._redis = None

    def _read(self, names: Iterable[QueueName]) -> dict[QueueName, int]:
        topology = self._settings.topology
        if not self._settings.uses_rabbitmq:
            self._redis = self._redis or connect_redis(self._settings)
            return {name: waiting_in_redis(self._redis, topology[name]) for name in names}
        if self._amqp is None:
            self._amqp = connect_amqp(self._settings)
        found = {name: read_amqp_queue(self._amqp, topology[name]) for name in names}
        return {name: use.messages for name, use in found.items() if use}


def connect_amqp(settings: WorkerSettings) -> Connection:
    """Return an open connection to RabbitMQ."""
    url = settings.broker_url.get_secret_value()
    connection = amqp_transport.new_connection(url, settings.tls_files, connect_seconds=CONNECT_SECONDS)
    connection.connect()
    return connection


def connect_redis(settings: WorkerSettings) -> redis.Redis:
    """Return a client of the Redis that is the broker."""
    return connect(settings.broker_url.get_secret_value(), tls=settings.tls_files)


def read_amqp_queue(connection: Connection, queue: Queue) -> QueueUse | None:
    """Return the use of a queue of RabbitMQ, which needs no right on it; None if it does not exist."""
    try:
        with connection.channel() as channel:
            found: Any = channel.queue_declare(queue.name, passive=True)
    except NotFound:
        return None
    return QueueUse(found.message_count, found.consumer_count)


def waiting_in_redis(client: redis.Redis, queue: Queue) -> int:
    """Return the number of messages that wait in a queue on Redis: 0 if there is no such list."""
    return int(client.llen(queue.name))
