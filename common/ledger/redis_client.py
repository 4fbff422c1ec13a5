"""A Redis client for a URL: a single Redis (or Tair standard), or a master that Sentinel provides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from common import clock
from common.engines.urls import addresses_of
from common.ledger.redis_connections import CONNECTIONS, ServerState
from common.tls import SYSTEM_STORE, TlsFiles, tls_options

CONNECT_SECONDS = 2.0
RESPONSE_SECONDS = 5.0

DEFAULT_MASTER = "mymaster"
"""Name of the master without the option `master`; the same as in the example configuration of Sentinel."""

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
        return _sentinel(url, tls, timeouts, {**secured, **following})
    client: redis.Redis = redis.Redis.from_url(
        url, health_check_interval=30, **timeouts, **secured, **following
    )
    return client


def sentinel_options(url: str, tls: TlsFiles, timeouts: Mapping[str, float]) -> dict[str, Any]:
    """Return the arguments of redis-py for the connections to the Sentinels of `url` themselves.

    Args:
        url: `redis+sentinel://…` or `rediss+sentinel://…`.
        tls: files for verified TLS.
        timeouts: `socket_timeout` and `socket_connect_timeout` in seconds.
    """
    query = parse_qs(urlsplit(url).query)
    secured = tls_options(url, tls) or {}
    return {
        **timeouts,
        **secured,
        "ssl": bool(secured),
        "username": query.get("sentinel_username", [None])[0],
        "password": query.get("sentinel_password", [None])[0],
        # The next Sentinel is asked instead; by itself redis-py asks one that is down again, for seconds.
        "retry": Retry(NoBackoff(), 0),
    }


def master_name(url: str) -> str:
    """Return the name under which Sentinel knows the master."""
    return parse_qs(urlsplit(url).query).get("master", [DEFAULT_MASTER])[0]


def _sentinel(url: str, tls: TlsFiles, timeouts: Mapping[str, float], options: dict[str, Any]) -> redis.Redis:
    """Return a client of the master that Sentinel provides.

    `options` are those of the connections to the master.
    """
    parts = urlsplit(url)
    credentials = parts.netloc.rpartition("@")[0]
    username, _, password = credentials.partition(":")
    sentinel: Any = Sentinel(  # type: ignore[no-untyped-call]
        addresses_of(url), sentinel_kwargs=sentinel_options(url, tls, timeouts)
    )
    client: redis.Redis = sentinel.master_for(
        master_name(url),
        db=int(parts.path.lstrip("/") or 0),
        username=unquote(username) or None,
        password=unquote(password) or None,
        health_check_interval=30,
        **timeouts,
        **options,
    )
    return client
