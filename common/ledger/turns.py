"""The verdicts that wait to be posted: over the whole fleet the nearest deadline first.

They wait in Redis, beside the events they are about: queues of a broker are first in, first out. Whoever
takes one has it for a lease; when its taker dies another takes it over. What is lost the watchdog answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, cast

import redis

_TAKE = Path(__file__).parent / "scripts" / "take.lua"

RINGS = 64
"""How many reporters may be called at once; one that is not looks by itself within a second."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of an event whose verdict is to be posted.

    Attributes:
        message_id: the event.
        run: the run to report.
        deadline_at: when the verdict must have been posted, in seconds since the epoch.
        tries: how often it was put off.
    """

    message_id: str
    run: int
    deadline_at: float
    tries: int = 0

    @property
    def rank(self) -> int:
        """By what it is lined up: its deadline in milliseconds."""
        return round(self.deadline_at * 1000)

    @property
    def key(self) -> str:
        """The turn as one word of Redis, always the same one."""
        return f"{self.rank} {self.run} {self.tries} {self.message_id}"

    @classmethod
    def from_key(cls, key: str) -> Turn:
        """Read what `key` wrote."""
        deadline, run, tries, message_id = key.split(" ", 3)
        return cls(message_id, int(run), int(deadline) / 1000, int(tries))


class Taken(NamedTuple):
    """Turns that were taken, and how many go on waiting."""

    turns: list[Turn]
    waiting: int


class Turns:
    """The verdicts of one extension that wait to be posted.

    Args:
        client: a Redis client that returns bytes.
        prefix: the start of the keys.
    """

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._waiting, self._taken, self._bell = (
            f"{prefix}verdicts:{name}" for name in ("waiting", "taken", "bell")
        )
        self._take = client.register_script(_TAKE.read_text())

    @property
    def keys(self) -> tuple[str, str]:
        """The keys of those that wait, and of the bell that calls a reporter."""
        return self._waiting, self._bell

    def wait(self, turn: Turn) -> None:
        """Line `turn` up, and call a reporter."""
        pipe = self._client.pipeline(transaction=True)
        pipe.zadd(self._waiting, {turn.key: turn.rank})
        pipe.rpush(self._bell, 1)
        pipe.ltrim(self._bell, 0, RINGS - 1)
        pipe.execute()

    def listen(self, seconds: float) -> None:
        """Return when somebody lined up, at the latest after `seconds`."""
        self._client.blpop([self._bell], timeout=seconds)

    def take(self, most: int, lease_seconds: float, done: Iterable[Turn] = ()) -> Taken:
        """Take the most urgent turns of those that wait, and before them what nobody sees to any more.

        Args:
            most: how many at the most.
            lease_seconds: after this another may take them.
            done: turns taken earlier that need not be seen to again.
        """
        arguments: list[int | str] = [most, round(lease_seconds * 1000), *(turn.key for turn in done)]
        keys = [self._waiting, self._taken, self._bell]
        waiting, *taken = cast("list[Any]", self._take(keys=keys, args=arguments))
        return Taken([Turn.from_key(key.decode()) for key in taken], waiting)

    def put_off(self, turn: Turn, seconds: float) -> None:
        """Give back a turn that was taken; it is taken again in `seconds`."""
        now, micros = self._client.time()
        pipe = self._client.pipeline(transaction=True)
        pipe.zrem(self._taken, turn.key)
        again = replace(turn, tries=turn.tries + 1)
        pipe.zadd(self._taken, {again.key: round((now + micros / 1e6 + seconds) * 1000)})
        pipe.execute()
