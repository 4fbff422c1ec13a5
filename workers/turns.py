"""In what order verdicts that have to wait are posted: over the whole fleet the nearest deadline first.

Queues of a broker are first in, first out. So a message of the report queue stands for one verdict, any:
who gets it takes the most urgent of those that wait. There are as many messages as verdicts, so each is
taken; one whose taker dies is taken again when its lease ends. What is lost here the watchdog answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from common.ledger import Ledger

_TAKE = Path(__file__).parent / "turns.lua"


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of an event whose verdict is to be posted.

    Attributes:
        message_id: the event.
        run: the run to report.
        deadline_at: when the verdict must have been posted, in seconds since the epoch.
    """

    message_id: str
    run: int
    deadline_at: float

    @property
    def key(self) -> str:
        """The turn as one word of Redis, always the same one."""
        return f"{round(self.deadline_at * 1000)} {self.run} {self.message_id}"

    @classmethod
    def from_key(cls, key: str) -> Turn:
        """Read what `key` wrote."""
        deadline, run, message_id = key.split(" ", 2)
        return cls(message_id, int(run), int(deadline) / 1000)


class Turns:
    """The verdicts of one extension that wait to be posted.

    Args:
        ledger: the ledger, on whose Redis they are kept.

    Attributes:
        crowded_until: until when this process leaves verdicts to the report queue at once, in seconds of a
            monotonic clock.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.crowded_until = 0.0
        self._ledger = ledger
        self._waiting, self._taken = ledger.key("verdicts:waiting"), ledger.key("verdicts:taken")
        self._take = ledger.client.register_script(_TAKE.read_text())

    def wait(self, turn: Turn) -> None:
        """Line `turn` up, or give it back; a message of the report queue must follow."""
        pipe = self._ledger.client.pipeline(transaction=True)
        pipe.zadd(self._waiting, {turn.key: round(turn.deadline_at * 1000)})
        pipe.zrem(self._taken, turn.key)
        pipe.execute()

    def take(self, own: Turn, lease_seconds: float, *, orphans: bool = False) -> Turn | float | None:
        """Take the most urgent turn of those that wait, `own` among them.

        Args:
            own: what the message is about; it is lined up unless it has ended or is taken.
            lease_seconds: after this another may take it.
            orphans: a taker may have died.

        Returns:
            The turn; when nothing waits, the seconds until `own`, with `orphans` any, that is taken may be
            taken again; None when there is nothing to do.
        """
        keys = [self._waiting, self._taken, self._ledger.key(f"event:{own.message_id}")]
        arguments: list[str | int] = [
            own.key,
            round(own.deadline_at * 1000),
            round(lease_seconds * 1000),
            int(orphans),
        ]
        answer = cast("bytes | int | None", self._take(keys=keys, args=arguments))
        if isinstance(answer, bytes):
            return Turn.from_key(answer.decode())
        return None if answer is None else answer / 1000

    def done(self, turn: Turn) -> None:
        """Take `turn` off: it was posted, or its own message sees to it later."""
        self._ledger.client.zrem(self._taken, turn.key)
