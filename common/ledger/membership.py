"""Which worker processes are at work, and which of them plays a role that only one may play."""

from __future__ import annotations

import time
from typing import cast

import redis

HEARTBEAT_TTL_SECONDS = 15.0
"""A process that was not heard of for so long is not at work."""


class FleetMembership:
    """The worker processes of one extension.

    Args:
        client: a Redis client that returns bytes.
        prefix: the start of the extension's keys.
    """

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._workers = f"{prefix}heartbeats"
        self._lead = f"{prefix}leader:"

    def heartbeat(self, worker: str) -> None:
        """Say that the process `worker` is at work; to be said every 5 seconds."""
        pipe = self._client.pipeline(transaction=True)
        pipe.zadd(self._workers, {worker: time.time()})
        pipe.zremrangebyscore(self._workers, "-inf", time.time() - HEARTBEAT_TTL_SECONDS)
        pipe.execute()

    def workers(self) -> list[str]:
        """Return the names of the processes heard of in the last 15 seconds."""
        since = time.time() - HEARTBEAT_TTL_SECONDS
        names = cast("list[bytes]", self._client.zrangebyscore(self._workers, since, "+inf"))
        return [name.decode() for name in names]

    def try_lead(self, role: str, seconds: float) -> bool:
        """Whether the caller is the one of the fleet to play `role` for the next `seconds`."""
        return bool(self._client.set(self._lead + role, b"1", nx=True, px=int(seconds * 1000)))
