"""The account's quota, shared by the whole fleet through Redis.

Enterprise edition: 50 reads and 20 writes a second for all clients of the account in a region together
(help page "Usage notes of OpenAPI"). A sliding window by the Redis server's clock: in no window are more
calls let through than that. Who has to wait queues by class (verdicts first), then by deadline.

What DataWorks counts is when calls arrive, which is some time after they were let through, and not always
the same. So the window is a little longer than a second; calls of a busy fleet are let through one by one,
since many at once would be held up by one another and arrive together with those that come after them; and
a call keeps its slot while it is under way, and for so much longer as it took longer than the quickest do:
it may have arrived so much later.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from uuid import uuid4

import redis

from workers.dataworks.errors import Throttled
from workers.dataworks.operations import QuotaKind

MIN_SLEEP = 0.005
MAX_SLEEP = 0.5
"""Seconds between two questions of a waiter. One that was silent for a second is forgotten."""

JITTER = 0.003

WINDOW = 1.03
"""Seconds in which no more calls are let through than may arrive in one second."""

SPREAD = 0.7
"""Seconds over which the calls of one window are spread, when there are many."""

FLUSH_DELAY = 0.25
"""Seconds after its end within which Redis is told of a call, if no other call takes the word along.

A call takes up a slot for WINDOW anyhow; one that took so long that it may be more is told of at once.
"""

SAMPLE_SIZE, MIN_SAMPLES = 300, 10
"""Calls of one operation of which the quickest is what is usual, and how many it takes to know that."""

_ACQUIRE = Path(__file__).parent / "rate_limiter.lua"
_CLASS = 10**13  # above every deadline in milliseconds


@dataclass(frozen=True, slots=True)
class Slot:
    """A call that was let through.

    Attributes:
        started_at: when the call was to be made, in seconds of a monotonic clock, or a little before.
    """

    kind: QuotaKind
    action: str
    ticket: str
    started_at: float


class RateLimiter:
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
        self._limits = {QuotaKind.READ: read_qps, QuotaKind.WRITE: write_qps}
        self._seconds: dict[str, deque[float]] = {}
        self._released: dict[QuotaKind, deque[tuple[str, int]]] = {kind: deque() for kind in QuotaKind}
        self._flusher = threading.Lock()
        self._acquire = client.register_script(_ACQUIRE.read_text())

    def acquire(
        self, kind: QuotaKind, *, action: str, urgent: bool, deadline_at: float, deadline: float
    ) -> Slot:
        """Wait until a call may be made; one round trip when nobody else wants to.

        Args:
            kind: which quota.
            action: the operation, for the error's text.
            urgent: a verdict, or a question about one: before everything that is not.
            deadline_at: the event's deadline, in seconds since the epoch; in a class the nearest goes first.
            deadline: when to give up, in seconds since the epoch.

        Returns:
            The call's slot, for `ended`.

        Raises:
            Throttled: `deadline` came first, or would: so many are ahead that no slot is free before.
            redis.RedisError: Redis does not answer.
        """
        keys = self._keys(kind)
        # Of those with one deadline, who came first goes first.
        ticket = f"{time.time_ns():020d}-{uuid4().hex}"
        rank = (0 if urgent else _CLASS) + int(deadline_at * 1000)
        while time.time() < deadline:
            asked_at, left = time.monotonic(), deadline - time.time()
            arguments: list[str | int] = [ticket, rank, *self._window_args(kind), int(left * 1e6)]
            arguments += self._drain_releases(kind)
            granted, micros = cast("tuple[int, int]", self._acquire(keys=keys, args=arguments))
            if granted:
                time.sleep(micros / 1e6)
                return Slot(kind, action, ticket, asked_at + micros / 1e6)
            if micros / 1e6 > left:
                break
            time.sleep(max(0.0, min(sleep_with_jitter(micros / 1e6), deadline - time.time())))
        self._withdraw(keys, ticket)
        raise Throttled(action, "quota", f"all {self._limits[kind]} {kind}s a second are used up")

    def release(self, slot: Slot) -> None:
        """Say that a call is over, whatever came of it; without it the call counts for ten seconds."""
        took = time.monotonic() - slot.started_at
        earlier = self._seconds.setdefault(slot.action, deque(maxlen=SAMPLE_SIZE))
        usual = min(earlier) if len(earlier) >= MIN_SAMPLES else 0.0
        late = took - usual - (WINDOW - 1)
        earlier.append(took)
        self._released[slot.kind].append((slot.ticket, int(late * 1e6)))
        if took > WINDOW - 2 * FLUSH_DELAY:
            self._flush_releases()
        elif self._flusher.acquire(blocking=False):
            timer = threading.Timer(FLUSH_DELAY, self._schedule_flush)
            timer.daemon = True
            timer.start()

    def _schedule_flush(self) -> None:
        self._flusher.release()
        self._flush_releases()

    def _flush_releases(self) -> None:
        with suppress(redis.RedisError):
            for kind in QuotaKind:
                if ended := self._drain_releases(kind):
                    self._acquire(keys=self._keys(kind), args=["", 0, *self._window_args(kind), 0, *ended])

    def _drain_releases(self, kind: QuotaKind) -> list[str | int]:
        ended: list[str | int] = []
        with suppress(IndexError):
            while True:
                ended += self._released[kind].popleft()
        return ended

    def _withdraw(self, keys: list[str], ticket: str) -> None:
        """Make way at once; without it the ticket is forgotten after a second."""
        with suppress(redis.RedisError):
            pipe = self._client.pipeline(transaction=False)
            for key in keys[1:3]:
                pipe.zrem(key, ticket)
            pipe.execute()

    def _window_args(self, kind: QuotaKind) -> tuple[int, int, int]:
        most = self._limits[kind]
        return most, int(WINDOW * 1e6), int(SPREAD * 1e6 / most)

    def _keys(self, kind: QuotaKind) -> list[str]:
        return [f"{self._prefix}quota:{kind}:{name}" for name in ("grants", "waiters", "asked", "calls")]


def sleep_with_jitter(seconds: float) -> float:
    """Return how long to sleep when a slot may be free in `seconds`."""
    bounded = min(max(seconds, MIN_SLEEP), MAX_SLEEP)
    return bounded + random.uniform(0, JITTER)  # noqa: S311 - spreads the waiters, keeps no secret
