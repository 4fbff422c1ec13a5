"""Reads the state of a fleet from Redis and the broker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import redis
from kombu import Connection

from common import clock
from common.ledger import Ledger, connect, key_prefix
from common.ledger.memory import LedgerMemory, MemoryUse
from common.topology import TASK_QUEUES, QueueName, Topology
from console import errors
from console.diagnoses.fleet_status import FleetStatus, NewestEvent, QueueLength, count_processes
from workers.broker import amqp_transport
from workers.dataworks.rate_limiter import RateLimiter
from workers.settings import WorkerSettings

CONNECT_SECONDS = 3.0


def read_status(settings: WorkerSettings) -> FleetStatus:
    """Return the state of the fleet.

    Raises:
        EngineDown: Redis or the broker is unreachable.
        EngineRefused: one of them refuses the settings.
    """
    return replace(read_ledger_status(settings), queues=read_queues(settings))


def read_queues(settings: WorkerSettings) -> tuple[QueueLength, ...]:
    """Return the lengths of the queues.

    Raises:
        EngineDown: the broker is unreachable.
        EngineRefused: it refuses the settings.
    """
    with errors.engine_errors("the broker", settings.broker_url):
        return tuple((_rabbitmq_queues if settings.uses_rabbitmq else _redis_queues)(settings))


def read_ledger_status(settings: WorkerSettings) -> FleetStatus:
    """Return the state of the fleet that Redis has: all but the queues.

    Raises:
        EngineDown: Redis is unreachable.
        EngineRefused: it refuses the settings.
    """
    with errors.engine_errors("Redis", settings.redis_url):
        return _read_ledger(settings)


def _read_ledger(settings: WorkerSettings) -> FleetStatus:
    client = connect(settings.redis_url.get_secret_value(), tls=settings.tls_files)
    clock.measure(client)
    ledger = Ledger(client, settings.extension_code)
    limiter = RateLimiter(
        client,
        key_prefix(settings.extension_code),
        read_qps=settings.openapi_read_qps,
        write_qps=settings.openapi_write_qps,
    )
    oldest = ledger.oldest_unplanned()
    memory, days = _memory(ledger)
    return FleetStatus(
        extension_code=settings.extension_code,
        processes=count_processes(ledger.membership.workers()),
        queues=(),
        events=ledger.counts(),
        pending_verdicts=ledger.reports.waiting_count(),
        unplanned_seconds=0.0 if oldest is None else max(0.0, clock.now() - oldest),
        quota=limiter.use(),
        memory=memory,
        days_that_fit=days,
        newest=_newest(ledger),
    )


def _memory(ledger: Ledger) -> tuple[MemoryUse | None, float | None]:
    reader = LedgerMemory(ledger)
    try:
        use = reader.use()
        return use, reader.days_that_fit(use)
    except redis.exceptions.NoPermissionError:
        return None, None


def _newest(ledger: Ledger) -> NewestEvent | None:
    for record in ledger.find(limit=1):
        return NewestEvent(record.event.message_id, record.event.event_code, record.event.received_at)
    return None


def _rabbitmq_queues(settings: WorkerSettings) -> Iterator[QueueLength]:
    url = settings.broker_url.get_secret_value()
    with amqp_transport.new_connection(
        url, settings.tls_files, connect_seconds=CONNECT_SECONDS
    ) as connection:
        connection.connect()
        for name in QueueName:
            yield _rabbitmq_queue(connection, settings.topology, name)


def _rabbitmq_queue(connection: Connection, topology: Topology, name: QueueName) -> QueueLength:
    try:
        with connection.channel() as channel:
            found = channel.queue_declare(topology[name].name, passive=True)
    except connection.channel_errors:
        return QueueLength(name.value, None)
    return QueueLength(name.value, found.message_count, found.consumer_count)


def _redis_queues(settings: WorkerSettings) -> Iterator[QueueLength]:
    # An empty list does not exist in Redis, so each of these counts as a queue; it has no consumers to count.
    client = connect(settings.broker_url.get_secret_value(), tls=settings.tls_files)
    topology = settings.topology
    try:
        for name in TASK_QUEUES:
            yield QueueLength(name.value, int(client.llen(topology[name].name)))
        yield QueueLength("parked", int(client.zcard(topology.parked)))
    finally:
        client.close()
