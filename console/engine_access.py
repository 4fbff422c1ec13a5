"""Reaches the engines before a service starts: settings that they refuse are one line and an exit code.

An engine that is merely down does not end a service: it starts, waits and connects by itself.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from amqp.exceptions import PreconditionFailed
from kombu import Connection
from pydantic import SecretStr

from common.ledger import connect
from common.settings import BrokerSettings, Settings
from common.topology import Queue
from console import errors
from console.errors import EngineDown
from workers.broker import amqp_transport

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


def _reach_rabbitmq(settings: BrokerSettings, consumes: Iterable[Queue], *, declare: bool) -> None:
    url = settings.broker_url.get_secret_value()
    with (
        errors.engine_errors("the broker", settings.broker_url),
        amqp_transport.new_connection(url, settings.tls_files, connect_seconds=CONNECT_SECONDS) as connection,
    ):
        connection.connect()
        for queue in consumes:
            _require_queue(connection, queue, declare=declare)


def _require_queue(connection: Connection, queue: Queue, *, declare: bool) -> None:
    """Check that a queue exists as expected, and may be consumed."""
    with connection.channel() as channel:
        channel.queue_declare(
            queue.name, passive=not declare, durable=True, auto_delete=False, arguments=queue.arguments
        )
        try:
            # Refused without the right to consume; with it, for the argument: so no message is delivered.
            channel.basic_consume(queue.name, arguments={"x-priority": "none"})
        except PreconditionFailed:
            return
