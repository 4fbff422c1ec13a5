"""Redis as the broker: kombu's transport with connections that follow a failover."""

from __future__ import annotations

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu_redis

from common.ledger.redis_connections import PlainConnection, TlsConnection


class Channel(kombu_redis.Channel):  # type: ignore[misc]  # kombu ships no types
    """A channel whose connections are closed when their server becomes a replica."""

    connection_class = PlainConnection
    connection_class_ssl = TlsConnection


class Transport(kombu_redis.Transport):  # type: ignore[misc]  # kombu ships no types
    """The transport."""

    Channel = Channel


def register() -> None:
    """Let kombu and Celery use this transport for the URLs of Redis."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
