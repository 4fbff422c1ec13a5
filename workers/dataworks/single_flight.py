"""One asks, the others wait: when many workers miss the same answer at once, DataWorks is asked once.

Who finds no answer takes a short lease on the question by `SET NX`, one round trip, and asks. Who finds the
lease taken looks for the answer until it is there, or takes over when the lease is gone: its holder failed,
or died. A lease that ended well is left to run out: taken away at once, somebody who looked just before the
answer came would find neither and ask again. So it must be shorter than the life of an answer.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from typing import Any

import redis
import structlog

from workers.dataworks.lookup_cache import LookupCache

LEASE_SECONDS = 5.0
"""How long an asker may take until another one asks too, and how long the others wait at most."""

MIN_PAUSE, MAX_PAUSE = 0.01, 0.1
"""Seconds between two looks for the answer of another."""

Arguments = Mapping[str, str | int]

log = structlog.get_logger(__name__)


class SingleFlight:
    """Answers of the whole fleet, each asked for by one. It never fails: without Redis everybody asks.

    Args:
        client: a Redis client that returns bytes.
        cache: where the answers are kept.
        seconds: how long they are kept.
    """

    def __init__(self, client: redis.Redis, cache: LookupCache, seconds: float = 60) -> None:
        self._client = client
        self._cache = cache
        self._lease_ms = int(min(LEASE_SECONDS, seconds) * 1000)

    def get_or_lease(self, operation: str, arguments: Arguments, *, deadline: float) -> Any:
        """Return the answer that is kept, or that another one gets meanwhile; None: ask yourself.

        Who is told to ask calls `land` with the answer, or `give_up`. The wait for another one takes at
        most LEASE_SECONDS, and half of the time that is left until `deadline`, in seconds since the epoch.
        """
        kept = self._cache.get(operation, arguments)
        if kept is not None or self._try_lease(operation, arguments):
            return kept
        now, pause = time.time(), MIN_PAUSE
        limit = now + min(LEASE_SECONDS, (deadline - now) / 2)
        while time.time() < limit:
            time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads the waiters, keeps no secret
            kept = self._cache.get(operation, arguments)
            if kept is not None or self._try_lease(operation, arguments):
                return kept
            pause = min(pause * 2, MAX_PAUSE)
        return None

    def publish(self, operation: str, arguments: Arguments, value: Any) -> None:
        """Give the answer to everybody; `value` is plain JSON and not None."""
        self._cache.put(operation, arguments, value)

    def release(self, operation: str, arguments: Arguments) -> None:
        """Let another one ask now."""
        try:
            self._client.delete(self._key(operation, arguments))
        except redis.RedisError as error:
            log.warning("lookup_flight_fault", operation=operation, error=type(error).__name__)

    def _try_lease(self, operation: str, arguments: Arguments) -> bool:
        """Take the lease; true as well when Redis cannot say."""
        try:
            return bool(self._client.set(self._key(operation, arguments), b"", nx=True, px=self._lease_ms))
        except redis.RedisError as error:
            log.warning("lookup_flight_fault", operation=operation, error=type(error).__name__)
            return True

    def _key(self, operation: str, arguments: Arguments) -> str:
        return f"{self._cache.key(operation, arguments)}:asked"
