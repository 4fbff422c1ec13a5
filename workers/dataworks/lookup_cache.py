"""Responses of lookups, cached in Redis for about a minute, so that a burst of events makes one call."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from typing import Any, Literal

import orjson
import redis
import structlog

COMPRESS_ABOVE = 1024
"""Bytes of JSON above which an entry is compressed."""

_PLAIN, _COMPRESSED = b"j", b"z"
"""First byte of an entry: JSON, or JSON compressed by zlib."""

log = structlog.get_logger(__name__)


class LookupCache:
    """JSON values by operation and arguments. It never raises: a Redis error counts as a miss.

    Args:
        client: a Redis client that returns bytes.
        prefix: prefix of the keys.
        seconds: lifetime of an entry.
        kind: first part of the key after the prefix. Accounts of Redis have rights by the prefix and it: the
            one of processes that read node code may write results of reviews, but only read policies and
            responses of DataWorks.
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
        self._ms = int(seconds * 1000)

    def get(self, operation: str, arguments: Mapping[str, str | int]) -> Any:
        """Return the cached value, or None."""
        try:
            entry = self._client.get(self.key(operation, arguments))
            return unpack(entry) if isinstance(entry, bytes) else None
        except (redis.RedisError, zlib.error, orjson.JSONDecodeError) as error:
            log.warning("lookup_cache_failed", step="get", operation=operation, error=type(error).__name__)
            return None

    def put(self, operation: str, arguments: Mapping[str, str | int], value: Any) -> None:
        """Cache `value`, which must not be None."""
        try:
            self._client.set(self.key(operation, arguments), pack(value), px=self._ms)
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
