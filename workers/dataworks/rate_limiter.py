"""Rate limiter for the account's quota, shared by the whole fleet through Redis.

Enterprise edition: 50 reads and 20 writes per second, for all clients of the account in a region together
(help page "Usage notes of OpenAPI"). The limiter is a sliding window on the Redis server's clock: no window
contains more grants than the limit. Waiting calls are ordered by class (verdicts first), then by deadline.

DataWorks counts calls when they arrive, which is a varying time after the grant. Therefore

- the window is slightly longer than a second (`WINDOW`);
- the grants of a busy fleet are spread over the window (`SPREAD`), since the calls of a burst delay each
  other and would arrive together with the calls that follow;
- a call keeps its slot while it is in progress, and when it ends its grant is moved later by the time that it
  took beyond the fastest calls: it may have arrived that much later.
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

from common import clock
from workers.dataworks.errors import Throttled
from workers.dataworks.operations import QuotaKind

MIN_SLEEP = 0.005
MAX_SLEEP = 0.5
"""Bounds of the seconds between two requests of a waiting call; after a second of silence it is dropped."""

JITTER = 0.003
"""Maximum random addition to a sleep, in seconds, so that waiting calls do not request in step."""

WINDOW = 1.03
"""Length of the window, in seconds, that may contain the calls of one second."""

SPREAD = 0.7
"""Seconds over which the calls of one window are spread under load."""

FLUSH_DELAY = 0.25
"""Seconds after which a finished call is reported to Redis, unless another request carries the report.

Every call occupies its slot for WINDOW anyway; a call that took about that long is reported immediately.
"""

SAMPLE_SIZE, MIN_SAMPLES = 300, 10
"""Number of latest calls of an operation whose minimum is its usual duration, and how many are required."""

_ACQUIRE = Path(__file__).parent / "rate_limiter.lua"
_NOT_URGENT = 10**13  # added to a rank; above every deadline in milliseconds


@dataclass(frozen=True, slots=True)
class Slot:
    """Permission for one call.

    Attributes:
        kind: the quota that it counts against.
        action: the operation.
        ticket: ID of the call in Redis.
        started_at: start of the call on the monotonic clock, in seconds; never later than the actual start.
    """

    kind: QuotaKind
    action: str
    ticket: str
    started_at: float


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """The use of one quota by the fleet.

    Attributes:
        granted: calls granted in the last second.
        limit: maximum calls per second.
        waiting: calls that wait for a slot.
    """

    granted: int
    limit: int
    waiting: int


class RateLimiter:
    """Limits the calls per second of the whole fleet.

    Args:
        client: a Redis client that returns bytes.
        prefix: prefix of the keys, with a hash tag: `dwgate:{CODE}:`.
        read_qps: maximum reads per second.
        write_qps: maximum writes per second.
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
        """Wait for a slot; one round trip to Redis if no other call is waiting.

        Args:
            kind: the quota.
            action: the operation.
            urgent: whether it is a verdict, or a query about one; urgent calls precede all others.
            deadline_at: the event's deadline, in seconds since the epoch; the earliest of a class goes first.
            deadline: when to give up, in seconds since the epoch.

        Returns:
            The slot, to be passed to `release` after the call.

        Raises:
            Throttled: no slot becomes free before `deadline`.
            redis.RedisError: Redis is unavailable.
        """
        keys = self._keys(kind)
        # Redis orders members of equal rank by name: with equal deadlines the first ticket goes first.
        ticket = f"{round(clock.now() * 1e6):020d}-{uuid4().hex}"
        rank = (0 if urgent else _NOT_URGENT) + int(deadline_at * 1000)
        while clock.now() < deadline:
            requested_at, left = time.monotonic(), deadline - clock.now()
            arguments: list[str | int] = [ticket, rank, *self._window_args(kind), int(left * 1e6)]
            arguments += self._drain_releases(kind)
            granted, micros = cast("tuple[int, int]", self._acquire(keys=keys, args=arguments))
            if granted:
                time.sleep(micros / 1e6)
                return Slot(kind, action, ticket, requested_at + micros / 1e6)
            if micros / 1e6 > left:
                break
            time.sleep(max(0.0, min(sleep_with_jitter(micros / 1e6), deadline - clock.now())))
        self._withdraw(keys, ticket)
        raise Throttled(
            action, "quota", f"no slot in time; the limit is {self._limits[kind]} {kind}s per second"
        )

    def release(self, slot: Slot) -> None:
        """Report the end of a call, successful or not; an unreported call keeps its slot for ten seconds."""
        took = time.monotonic() - slot.started_at
        durations = self._seconds.setdefault(slot.action, deque(maxlen=SAMPLE_SIZE))
        usual = min(durations) if len(durations) >= MIN_SAMPLES else 0.0
        late = took - usual - (WINDOW - 1)
        durations.append(took)
        self._released[slot.kind].append((slot.ticket, int(late * 1e6)))
        if took > WINDOW - 2 * FLUSH_DELAY:
            self._flush_releases()
        elif self._flusher.acquire(blocking=False):  # held while a timer is pending: one timer at a time
            timer = threading.Timer(FLUSH_DELAY, self._schedule_flush)
            timer.daemon = True
            timer.start()

    def use(self) -> dict[QuotaKind, QuotaUse]:
        """Return the use of each quota.

        Raises:
            redis.RedisError: Redis is unavailable.
        """
        since = (clock.now() - WINDOW) * 1e6
        pipe = self._client.pipeline(transaction=False)
        for kind in QuotaKind:
            grants, waiters, *_ = self._keys(kind)
            pipe.zcount(grants, since, "+inf")
            pipe.zcard(waiters)
        counts = iter(pipe.execute())
        return {kind: QuotaUse(next(counts), self._limits[kind], next(counts)) for kind in QuotaKind}

    def _schedule_flush(self) -> None:
        self._flusher.release()
        self._flush_releases()

    def _flush_releases(self) -> None:
        with suppress(redis.RedisError):
            for kind in QuotaKind:
                if releases := self._drain_releases(kind):
                    self._acquire(keys=self._keys(kind), args=["", 0, *self._window_args(kind), 0, *releases])

    def _drain_releases(self, kind: QuotaKind) -> list[str | int]:
        releases: list[str | int] = []
        with suppress(IndexError):  # other threads may drain it meanwhile
            while True:
                releases += self._released[kind].popleft()
        return releases

    def _withdraw(self, keys: list[str], ticket: str) -> None:
        """Stop waiting immediately instead of being dropped after a second of silence."""
        with suppress(redis.RedisError):
            pipe = self._client.pipeline(transaction=False)
            for key in keys[1:3]:  # waiters and their last requests
                pipe.zrem(key, ticket)
            pipe.execute()

    def _window_args(self, kind: QuotaKind) -> tuple[int, int, int]:
        """Return the limit, the window and the pace, both in microseconds."""
        limit = self._limits[kind]
        return limit, int(WINDOW * 1e6), int(SPREAD * 1e6 / limit)

    def _keys(self, kind: QuotaKind) -> list[str]:
        return [f"{self._prefix}quota:{kind}:{name}" for name in ("grants", "waiters", "asked", "calls")]


def sleep_with_jitter(seconds: float) -> float:
    """Return the seconds to sleep if a slot may be free in `seconds`."""
    bounded = min(max(seconds, MIN_SLEEP), MAX_SLEEP)
    return bounded + random.uniform(0, JITTER)  # noqa: S311 - not security-sensitive
