"""The account's quota, shared by the whole fleet through Redis.

Enterprise edition: 50 reads and 20 writes a second for all clients of the account in a region together
(help page "Usage notes of OpenAPI"). A sliding window by the Redis server's clock: in no second are more
calls let through than that. Who has to wait queues by class (verdicts first), then by deadline.
"""

from __future__ import annotations

import random
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import redis

from workers.dataworks.errors import Throttled
from workers.dataworks.operations import Kind

SHORTEST_SLEEP = 0.005
LONGEST_SLEEP = 0.25
"""Seconds between two questions of a waiter. One that was silent for a second is forgotten."""

JITTER = 0.003

_SCRIPT = Path(__file__).parent / "acquire.lua"
_CLASS = 10**13  # above every deadline in milliseconds


class Quota:
    """Lets calls through, so many a second.

    Args:
        client: a Redis client that returns bytes.
        prefix: the start of the keys, with a hash tag: `dwgate:{CODE}:`.
        read_qps: reads a second, for the whole fleet.
        write_qps: writes a second, for the whole fleet.
    """

    def __init__(self, client: redis.Redis, prefix: str, *, read_qps: int, write_qps: int) -> None:
        self._client = client
        self._prefix = prefix
        self._limits = {Kind.READ: read_qps, Kind.WRITE: write_qps}
        self._script = client.register_script(_SCRIPT.read_text())

    def acquire(self, kind: Kind, *, action: str, urgent: bool, deadline_at: float, until: float) -> None:
        """Wait until a call may be made; one round trip when nobody else wants to.

        Args:
            kind: which quota.
            action: the operation, for the error's text.
            urgent: a verdict, or a question about one: before everything that is not.
            deadline_at: the event's deadline, in seconds since the epoch; in a class the nearest goes first.
            until: when to give up, in seconds since the epoch.

        Raises:
            Throttled: `until` came first.
            redis.RedisError: Redis does not answer.
        """
        keys = self._keys(kind)
        # Of those with one deadline, who came first goes first.
        ticket = f"{time.time_ns():020d}-{uuid4().hex}"
        rank = (0 if urgent else _CLASS) + int(deadline_at * 1000)
        while time.time() < until:
            wait = self._script(keys=keys, args=[ticket, rank, self._limits[kind]])
            if not wait:
                return
            time.sleep(max(0.0, min(pause(wait / 1e6), until - time.time())))
        self._leave(keys, ticket)
        raise Throttled(action, "quota", f"all {self._limits[kind]} {kind}s a second are used up")

    def _leave(self, keys: list[str], ticket: str) -> None:
        """Make way at once; without it the ticket is forgotten after a second."""
        with suppress(redis.RedisError):
            pipe = self._client.pipeline(transaction=False)
            for key in keys[1:]:
                pipe.zrem(key, ticket)
            pipe.execute()

    def _keys(self, kind: Kind) -> list[str]:
        return [f"{self._prefix}quota:{kind}:{name}" for name in ("grants", "waiters", "asked")]


def pause(seconds: float) -> float:
    """Return how long to sleep when a slot may be free in `seconds`."""
    bounded = min(max(seconds, SHORTEST_SLEEP), LONGEST_SLEEP)
    return bounded + random.uniform(0, JITTER)  # noqa: S311 - spreads the waiters, keeps no secret
