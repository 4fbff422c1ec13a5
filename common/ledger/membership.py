"""The worker processes that are up, and which of them leads a role that needs a single process."""

from __future__ import annotations

import time
from typing import cast

import redis

HEARTBEAT_TTL_SECONDS = 15.0
"""Seconds without a heartbeat after which a process counts as down."""


class FleetMembership:
    """The worker processes of one extension.

    Args:
        client: a Redis client that returns bytes.
        prefix: prefix of the extension's keys.
    """

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._workers = f"{prefix}heartbeats"
        self._lead = f"{prefix}leader:"

    def heartbeat(self, worker: str) -> None:
        """Record that the process `worker` is up; to be called every 5 seconds."""
        pipe = self._client.pipeline(transaction=True)
        pipe.zadd(self._workers, {worker: time.time()})
        pipe.zremrangebyscore(self._workers, "-inf", time.time() - HEARTBEAT_TTL_SECONDS)
        pipe.execute()

    def workers(self) -> list[str]:
        """Return the names of the processes with a heartbeat in the last `HEARTBEAT_TTL_SECONDS`."""
        since = time.time() - HEARTBEAT_TTL_SECONDS
        names = cast("list[bytes]", self._client.zrangebyscore(self._workers, since, "+inf"))
        return [name.decode() for name in names]

    def try_lead(self, role: str, seconds: float) -> bool:
        """Try to become the only process with `role` for the next `seconds`; return whether it succeeded."""
        return bool(self._client.set(self._lead + role, b"1", nx=True, px=int(seconds * 1000)))
