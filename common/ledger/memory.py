"""The memory of Redis: how much is used, how many days of events fit, and what is removed before it is full.

Redis with `noeviction` refuses writes at `maxmemory`, and then no event is answered. So the ledger removes
what no pending event needs, when SHED_ABOVE of it is used: first the code of answered events, then answered
and ignored events, each from the oldest on. Events that wait for an answer and dead ones, which can be
requeued, stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from common import clock
from common.ledger.record import State
from common.ledger.store import Ledger

SHED_ABOVE = 0.8
"""Share of `maxmemory` above which data is removed."""

SHED_TO = 0.75
"""Share down to which it is removed."""

MIN_AGE_SECONDS = 3600.0
"""Age below which an event's record stays: it may be delivered again."""

PAGE = 200
"""Events handled between two measurements."""

MAX_PAGES = 50
"""Pages handled in one call, so that it ends soon."""

_SAMPLE = 32
_INDEX_BYTES = 1000
"""Bytes of an event's entries in the indexes."""

_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """What Redis reports about its memory.

    Attributes:
        used: bytes that count towards `maximum`.
        maximum: `maxmemory` in bytes; 0 if there is no limit.
    """

    used: int
    maximum: int

    @property
    def share(self) -> float:
        """Used share of the maximum; 0 without a limit."""
        return self.used / self.maximum if self.maximum else 0.0

    @classmethod
    def from_info(cls, info: dict[str, Any]) -> MemoryUse:
        """Return the use for the section `memory` of INFO."""
        # Buffers for replicas and the append-only file do not count towards the limit.
        used = int(info["used_memory"]) - int(info.get("mem_not_counted_for_evict") or 0)
        return cls(used, int(info.get("maxmemory") or 0))


@dataclass(frozen=True, slots=True)
class Shed:
    """Number of events whose code was removed, and of removed events."""

    codes: int = 0
    events: int = 0


class LedgerMemory:
    """The memory of the ledger of one extension.

    Args:
        ledger: the ledger.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._client = ledger.client
        self._shed_until = 0.0

    def use(self) -> MemoryUse:
        """Return how much memory is used."""
        return MemoryUse.from_info(self._client.info("memory"))

    def days_that_fit(self, use: MemoryUse) -> float | None:
        """Return how many days of events fit below SHED_ABOVE, at the rate of the last day.

        None without a limit or without events.
        """
        all_key = self._ledger.key("all")
        oldest = cast("list[tuple[bytes, float]]", self._client.zrange(all_key, 0, 0, withscores=True))
        if not use.maximum or not oldest:
            return None
        now = clock.now()
        days = min(max(now - oldest[0][1] / 1000, 3600.0), _DAY) / _DAY
        recent = self._client.zcount(all_key, (now - _DAY) * 1000, "+inf")
        count, size = self._client.zcard(all_key), self._mean_event_bytes(all_key)
        if not recent:
            return None
        others = max(use.used - count * size, 0)
        return max(use.maximum * SHED_ABOVE - others, 0) / (size * recent / days)

    def _mean_event_bytes(self, all_key: str) -> float:
        ids = cast("list[bytes]", self._client.zrandmember(all_key, _SAMPLE))
        pipe = self._client.pipeline(transaction=False)
        for message_id in ids:
            pipe.memory_usage(self._ledger.key(f"event:{message_id.decode()}"))
            pipe.memory_usage(self._ledger.key(f"code:{message_id.decode()}"))
        return sum(size or 0 for size in pipe.execute()) / len(ids) + _INDEX_BYTES

    def shed(self, use: MemoryUse) -> Shed:
        """Remove what no pending event needs, if more than SHED_ABOVE is used.

        Args:
            use: the use now.

        Returns:
            What was removed.
        """
        if use.share <= SHED_ABOVE:
            return Shed()
        codes = events = 0
        for _ in range(MAX_PAGES):
            if self.use().share <= SHED_TO:
                break
            page = self._next_codes()
            if page:
                codes += self._remove_codes(page)
                continue
            page = self._oldest_events()
            if not page:
                break
            events += self._ledger.remove_ended(page)
        return Shed(codes, events)

    def _next_codes(self) -> list[str]:
        """Return the next answered events whose code may be stored, oldest first."""
        since = max(self._shed_until, (clock.now() - self._ledger.code_seconds) * 1000)
        found = cast(
            "list[tuple[bytes, float]]",
            self._client.zrangebyscore(
                self._ledger.key(f"state:{State.REPORTED}"), f"({since}", "+inf", 0, PAGE, withscores=True
            ),
        )
        if found:
            self._shed_until = found[-1][1]
        return [message_id.decode() for message_id, _ in found]

    def _remove_codes(self, message_ids: list[str]) -> int:
        keys = [self._ledger.key(f"code:{message_id}") for message_id in message_ids]
        return self._client.unlink(*keys)

    def _oldest_events(self) -> list[str]:
        until = (clock.now() - MIN_AGE_SECONDS) * 1000
        found: list[tuple[bytes, float]] = []
        for state in (State.REPORTED, State.IGNORED):
            found += cast(
                "list[tuple[bytes, float]]",
                self._client.zrangebyscore(
                    self._ledger.key(f"state:{state}"), "-inf", until, 0, PAGE, withscores=True
                ),
            )
        found.sort(key=lambda pair: pair[1])
        return [message_id.decode() for message_id, _ in found[:PAGE]]
