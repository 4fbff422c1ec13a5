"""Reaches the engines before a service starts: settings that they refuse are one line and an exit code.

An engine that is merely down does not end a service: it starts, waits and connects by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import structlog
from amqp.exceptions import PreconditionFailed
from kombu import Connection
from pydantic import SecretStr

from common.ledger import connect
from common.settings import BrokerSettings, Settings
from common.tls import TlsFiles
from common.topology import Queue
from console import errors
from console.errors import EngineDown
from workers.broker import amqp_transport

if TYPE_CHECKING:
    from ingest.settings import QueueIngestSettings

CONNECT_SECONDS = 3.0

log = structlog.get_logger()


def require_access(settings: Settings, *, consumes: Iterable[Queue] = ()) -> None:
    """Check that broker and Redis accept the settings; an engine that is down is only logged.

    Args:
        settings: of the service.
        consumes: the queues that it consumes.

    Raises:
        EngineRefused: one of them does not.
    """
    require_broker_access(settings, consumes=consumes, topology=settings.broker_topology)
    try:
        _reach_redis("Redis", settings.redis_url, settings)
    except EngineDown as error:
        log.warning("engine_unreachable", reason=str(error))


def require_broker_access(
    settings: BrokerSettings, *, consumes: Iterable[Queue] = (), topology: str = "existing"
) -> None:
    """Check that the broker accepts the settings; a broker that is down is only logged.

    Args:
        settings: of the service.
        consumes: the queues that it consumes.
        topology: with `declare`, missing ones are declared.

    Raises:
        EngineRefused: it does not: credentials, virtual host, rights, or arguments of a queue that exists.
    """
    try:
        if settings.broker_url.get_secret_value().startswith("redis"):
            _reach_redis("the broker", settings.broker_url, settings)
        else:
            _reach_rabbitmq(settings, consumes, declare=topology == "declare")
    except EngineDown as error:
        log.warning("engine_unreachable", reason=str(error))


def _reach_redis(name: str, url: SecretStr, settings: BrokerSettings) -> None:
    client = connect(url.get_secret_value(), tls=settings.tls_files, response_seconds=CONNECT_SECONDS)
    with errors.engine_errors(name, url):
        try:
            client.ping()
        finally:
            client.close()


def require_source_access(settings: QueueIngestSettings) -> None:
    """Check that the source accepts the settings; a source that is down is only logged.

    Args:
        settings: of ingest with the source amqp.

    Raises:
        EngineRefused: it does not: credentials, virtual host, no such queue, or no right to consume it.
    """
    try:
        reach_source(settings)
    except EngineDown as error:
        log.warning("engine_unreachable", reason=str(error))


def reach_source(settings: QueueIngestSettings) -> int:
    """Check that the source's queue can be consumed; return the number of its messages.

    Raises:
        EngineRefused: the source refuses the settings.
        EngineDown: it is unreachable.
    """
    with _rabbitmq("the source", settings.source_url, settings.source_tls_files) as connection:
        return _require_queue(connection, settings.source_queue)


def _reach_rabbitmq(settings: BrokerSettings, consumes: Iterable[Queue], *, declare: bool) -> None:
    with _rabbitmq("the broker", settings.broker_url, settings.tls_files) as connection:
        for queue in consumes:
            if declare:
                _declare_queue(connection, queue)
            _require_queue(connection, queue.name)


@contextmanager
def _rabbitmq(name: str, url: SecretStr, files: TlsFiles) -> Iterator[Connection]:
    with (
        errors.engine_errors(name, url),
        amqp_transport.new_connection(
            url.get_secret_value(), files, connect_seconds=CONNECT_SECONDS
        ) as connection,
    ):
        connection.connect()
        yield connection


def _declare_queue(connection: Connection, queue: Queue) -> None:
    with connection.channel() as channel:
        channel.queue_declare(queue.name, durable=True, auto_delete=False, arguments=queue.arguments)


def _require_queue(connection: Connection, name: str) -> int:
    """Check that a queue exists and may be consumed; return the number of its messages."""
    with connection.channel() as channel:
        length = int(channel.queue_declare(name, passive=True).message_count)
        # Brokers that ignore the argument deliver this many messages, and have them back at once.
        channel.basic_qos(0, 1, a_global=False)
        with suppress(PreconditionFailed):
            # Refused without the right to consume; with it, for the argument: so no message is delivered.
            channel.basic_consume(name, arguments={"x-priority": "none"})
        return length
