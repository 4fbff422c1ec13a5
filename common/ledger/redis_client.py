"""A Redis client for a URL: a single Redis (or Tair standard), or a master that Sentinel provides."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import redis
from redis.sentinel import Sentinel

from common import clock
from common.ledger.redis_connections import CONNECTIONS, ServerState
from common.tls import SYSTEM_STORE, TlsFiles, tls_options

CONNECT_SECONDS = 2.0
RESPONSE_SECONDS = 5.0

CLOCK_TOLERANCE = 1.0
"""Seconds by which the measured time of the server may be wrong."""


def key_prefix(extension_code: str) -> str:
    """Return the prefix of an extension's keys; its hash tag keeps them in one slot of a cluster."""
    return f"dwgate:{{{extension_code}}}:"


def waits_until() -> int:
    """Return until when a caller waits for the reply to a command sent now, in ms of the server's clock.

    A server that stood still would otherwise execute it later.
    """
    return int((clock.now() + RESPONSE_SECONDS + CLOCK_TOLERANCE) * 1000)


def connect(
    url: str, *, tls: TlsFiles = SYSTEM_STORE, response_seconds: float = RESPONSE_SECONDS
) -> redis.Redis:
    """Return a client for `url`, not connected yet. All its operations have timeouts; none is repeated.

    Its connections follow a failover, and raise the replies of a server that does not serve as
    `RedisNotServing`.

    Args:
        url: `redis://`, `rediss://` or `unix://` as redis-py reads them, or
            `redis+sentinel://[[user]:password@]host:26379[,host2:26379…]/DB?master=NAME`, whose user and
            password are those of Redis; those of Sentinel are the options `sentinel_username` and
            `sentinel_password`. With `rediss+sentinel://` Sentinel and Redis both use TLS.
        tls: files for verified TLS.
        response_seconds: maximum time to wait for a response.
    """
    timeouts = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": response_seconds}
    secured = tls_options(url, tls) or {}
    scheme = urlsplit(url).scheme
    following = {"connection_class": CONNECTIONS[scheme], "server": ServerState()}
    if scheme.endswith("+sentinel"):
        return _sentinel(url, {**timeouts, **secured, "ssl": bool(secured)}, following)
    client: redis.Redis = redis.Redis.from_url(
        url, health_check_interval=30, **timeouts, **secured, **following
    )
    return client


def _sentinel(url: str, options: dict[str, Any], following: dict[str, Any]) -> redis.Redis:
    """Return a client of the master that Sentinel provides; both are connected to with `options`.

    `following` are options of the connections to the master only.
    """
    parts = urlsplit(url)
    credentials, _, hosts = parts.netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    sentinel: Any = Sentinel(  # type: ignore[no-untyped-call]
        [_host(host) for host in hosts.split(",")],
        sentinel_kwargs={
            **options,
            "username": query.get("sentinel_username"),
            "password": query.get("sentinel_password"),
        },
    )
    client: redis.Redis = sentinel.master_for(
        query.get("master", "mymaster"),
        db=int(parts.path.lstrip("/") or 0),
        username=unquote(username) or None,
        password=unquote(password) or None,
        health_check_interval=30,
        **options,
        **following,
    )
    return client


def _host(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return (host, int(port)) if host else (port, 26379)
