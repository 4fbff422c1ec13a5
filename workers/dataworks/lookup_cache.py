"""Responses of lookups, cached in Redis for about a minute, so that a burst of events makes one call.

Each process keeps a copy of what it has read for a few seconds more: the checks of a burst look up the same
nodes and tables, and half of their CPU time was spent on reading the same entries from Redis again.
"""

from __future__ import annotations

import hashlib
import threading
import zlib
from collections.abc import Mapping
from typing import Any, Literal

import orjson
import redis
import structlog
from cachetools import TTLCache

COMPRESS_ABOVE = 1024
"""Bytes of JSON above which an entry is compressed."""

MAX_COPY_SECONDS = 5.0
COPY_SHARE = 0.1
"""Share of the lifetime of an entry for which a process keeps a copy, at most `MAX_COPY_SECONDS`."""

COPIES_BYTES = 4 * 1024 * 1024
"""Maximum size of the copies of one process; the least recently used are dropped first."""

_PLAIN, _COMPRESSED = b"j", b"z"
"""First byte of an entry: JSON, or JSON compressed by zlib."""

log = structlog.get_logger(__name__)


class LookupCache:
    """JSON values by operation and arguments. It never raises: a Redis error counts as a miss.

    Args:
        client: a Redis client that returns bytes.
        prefix: prefix of the keys.
        seconds: lifetime of an entry: that in Redis, plus that of the copies.
        kind: first part of the key after the prefix. Accounts of Redis have rights by the prefix and it: the
            one of processes that read node code may write results of reviews, but only read policies and
            responses of DataWorks.

    Attributes:
        shared_seconds: lifetime of an entry in Redis.
    """

    def __init__(
        self,
        client: redis.Redis,
        prefix: str,
        seconds: float = 60,
        *,
        kind: Literal["lookup", "config"] = "lookup",
    ) -> None:
        self._client = client
        self._prefix = f"{prefix}{kind}:"
        copy_seconds = min(seconds * COPY_SHARE, MAX_COPY_SECONDS)
        self.shared_seconds = seconds - copy_seconds
        self._copies: TTLCache[str, bytes] = TTLCache(COPIES_BYTES, copy_seconds, getsizeof=len)
        self._copies_lock = threading.Lock()

    def get(self, operation: str, arguments: Mapping[str, str | int]) -> Any:
        """Return the cached value, or None. The caller may change it."""
        key = self.key(operation, arguments)
        with self._copies_lock:
            copy = self._copies.get(key)
        if copy is not None:
            return unpack(copy)
        try:
            entry = self._client.get(key)
            if not isinstance(entry, bytes):
                return None
            value = unpack(entry)
        except (redis.RedisError, zlib.error, orjson.JSONDecodeError) as error:
            log.warning("lookup_cache_failed", step="get", operation=operation, error=type(error).__name__)
            return None
        if len(entry) <= COPIES_BYTES:
            with self._copies_lock:
                self._copies[key] = entry
        return value

    def put(self, operation: str, arguments: Mapping[str, str | int], value: Any) -> None:
        """Cache `value`, which must not be None."""
        key, milliseconds = self.key(operation, arguments), int(self.shared_seconds * 1000)
        with self._copies_lock:
            self._copies.pop(key, None)
        try:
            self._client.set(key, pack(value), px=milliseconds)
        except redis.exceptions.NoPermissionError:
            log.debug("lookup_cache_read_only", operation=operation)
        except redis.RedisError as error:
            log.warning("lookup_cache_failed", step="put", operation=operation, error=type(error).__name__)

    def key(self, operation: str, arguments: Mapping[str, str | int]) -> str:
        """Return the key of an entry."""
        text = orjson.dumps([operation, dict(arguments)], option=orjson.OPT_SORT_KEYS)
        return f"{self._prefix}{hashlib.sha256(text).hexdigest()}"


def pack(value: Any) -> bytes:
    """Encode `value` as JSON, compressed above `COMPRESS_ABOVE` bytes."""
    text = orjson.dumps(value)
    return _COMPRESSED + zlib.compress(text) if len(text) > COMPRESS_ABOVE else _PLAIN + text


def unpack(entry: bytes) -> Any:
    """Decode an entry that `pack` encoded."""
    text = entry[1:]
    return orjson.loads(zlib.decompress(text) if entry[:1] == _COMPRESSED else text)
