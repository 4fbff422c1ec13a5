"""The worker processes that are up, and which of them leads a role that needs a single process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import redis

HEARTBEAT_TTL_SECONDS = 15.0
"""Seconds without a heartbeat after which a process counts as down."""

_HEARTBEAT = Path(__file__).parent / "scripts" / "heartbeat.lua"


class FleetMembership:
    """The worker processes of one extension. All times are of the server's clock.

    Args:
        client: a Redis client that returns bytes.
        prefix: prefix of the extension's keys.
    """

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._workers = f"{prefix}heartbeats"
        self._skews = f"{prefix}heartbeats:skew"
        self._lead = f"{prefix}leader:"
        self._heartbeat = client.register_script(_HEARTBEAT.read_text())

    def heartbeat(self, worker: str, skew: float = 0.0) -> None:
        """Record that the process `worker` is up; to be called every 5 seconds.

        Args:
            worker: name of the process.
            skew: seconds by which its machine's clock is ahead of the server's.
        """
        arguments: list[str | int] = [worker, round(HEARTBEAT_TTL_SECONDS * 1000), f"{skew:.3f}"]
        self._heartbeat(keys=[self._workers, self._skews], args=arguments)

    def workers(self) -> list[str]:
        """Return the names of the processes with a heartbeat in the last `HEARTBEAT_TTL_SECONDS`."""
        seconds, _ = self._client.time()
        since = seconds - HEARTBEAT_TTL_SECONDS
        names = cast("list[bytes]", self._client.zrangebyscore(self._workers, since, "+inf"))
        return [name.decode() for name in names]

    def skews(self) -> Mapping[str, float]:
        """Return by how many seconds the machine's clock of each process is ahead of the server's."""
        found = cast("dict[bytes, bytes]", self._client.hgetall(self._skews))
        return {name.decode(): float(seconds) for name, seconds in found.items()}

    def try_lead(self, role: str, seconds: float) -> bool:
        """Try to become the only process with `role` for the next `seconds`; return whether it succeeded."""
        return bool(self._client.set(self._lead + role, b"1", nx=True, px=int(seconds * 1000)))
