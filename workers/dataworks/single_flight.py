"""Single flight: when many workers miss the same cache entry at once, one of them calls DataWorks.

On a miss a worker tries to lease the key by `SET NX` (one round trip). The holder of the lease makes the
call; the others poll the cache until the entry appears, or take the lease over when it ends because its
holder failed or died. After a successful call the lease is left to expire: if it were deleted, a worker that
read the cache just before the entry was written would find neither and call again. Therefore a lease must not
outlive an entry.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from typing import Any

import redis
import structlog

from common import clock
from workers.dataworks.lookup_cache import LookupCache

LEASE_SECONDS = 5.0
"""Seconds after which another worker may call as well, and the maximum wait of the others."""

MIN_PAUSE, MAX_PAUSE = 0.01, 0.1
"""Bounds of the seconds between two polls of the cache."""

Arguments = Mapping[str, str | int]

log = structlog.get_logger(__name__)


class SingleFlight:
    """Coordinates cache misses across the fleet. It never raises: without Redis every worker makes its call.

    Args:
        client: a Redis client that returns bytes.
        cache: the shared cache.
    """

    def __init__(self, client: redis.Redis, cache: LookupCache) -> None:
        self._client = client
        self._cache = cache
        self._lease_ms = int(min(LEASE_SECONDS, cache.shared_seconds) * 1000)

    def get_or_lease(self, operation: str, arguments: Arguments, *, deadline: float) -> Any:
        """Return the cached response, waiting for another worker's call if necessary, or None.

        On None the caller makes the call itself, then calls `publish`, or `release` on failure. The wait is
        at most LEASE_SECONDS, and half of the time that is left until `deadline` (seconds since the epoch).
        """
        cached = self._cache.get(operation, arguments)
        if cached is not None or self._try_lease(operation, arguments):
            return cached
        now, pause = clock.now(), MIN_PAUSE
        limit = now + min(LEASE_SECONDS, (deadline - now) / 2)
        while clock.now() < limit:
            time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - not security-sensitive
            cached = self._cache.get(operation, arguments)
            if cached is not None or self._try_lease(operation, arguments):
                return cached
            pause = min(pause * 2, MAX_PAUSE)
        return None

    def publish(self, operation: str, arguments: Arguments, value: Any) -> None:
        """Cache the response for the fleet; `value` is JSON and not None."""
        self._cache.put(operation, arguments, value)

    def release(self, operation: str, arguments: Arguments) -> None:
        """Give the lease up, so that another worker may make the call."""
        try:
            self._client.delete(self._key(operation, arguments))
        except redis.RedisError as error:
            log.warning("lookup_lease_failed", operation=operation, error=type(error).__name__)

    def _try_lease(self, operation: str, arguments: Arguments) -> bool:
        """Try to acquire the lease; also True if Redis is unavailable."""
        try:
            return bool(self._client.set(self._key(operation, arguments), b"", nx=True, px=self._lease_ms))
        except redis.RedisError as error:
            log.warning("lookup_lease_failed", operation=operation, error=type(error).__name__)
            return True

    def _key(self, operation: str, arguments: Arguments) -> str:
        return f"{self._cache.key(operation, arguments)}:asked"
