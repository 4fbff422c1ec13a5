"""A Redis client for a URL: a single Redis (or Tair standard), or a master that Sentinel provides."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import redis
from redis.sentinel import Sentinel

CONNECT_SECONDS = 2.0
RESPONSE_SECONDS = 5.0


def key_prefix(extension_code: str) -> str:
    """Return the prefix of an extension's keys; its hash tag keeps them in one slot of a cluster."""
    return f"dwgate:{{{extension_code}}}:"


def connect(url: str, *, response_seconds: float = RESPONSE_SECONDS) -> redis.Redis:
    """Return a client for `url`, not connected yet. All its operations have timeouts.

    Args:
        url: `redis://`, `rediss://` or `unix://` as redis-py reads them, or
            `redis+sentinel://[:password@]host:26379[,host2:26379…]/DB?master=NAME`.
        response_seconds: maximum time to wait for a response.
    """
    options = {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": response_seconds,
        "health_check_interval": 30,
    }
    parts = urlsplit(url)
    if not parts.scheme.endswith("+sentinel"):
        return redis.Redis.from_url(url, **options)
    return _sentinel(url, options, ssl=parts.scheme.startswith("rediss"))


def _sentinel(url: str, options: dict[str, float], *, ssl: bool) -> redis.Redis:
    parts = urlsplit(url)
    credentials, _, hosts = parts.netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    query = parse_qs(parts.query)
    sentinel: Any = Sentinel(  # type: ignore[no-untyped-call]
        [_host(host) for host in hosts.split(",")],
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=options["socket_timeout"],
    )
    client: redis.Redis = sentinel.master_for(
        query.get("master", ["mymaster"])[0],
        db=int(parts.path.lstrip("/") or 0),
        username=unquote(username) or None,
        password=unquote(password) or None,
        ssl=ssl,
        **options,
    )
    return client


def _host(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return (host, int(port)) if host else (port, 26379)
