"""The order of the slow queue: each workspace has one message in it, the others wait in Redis.

So the broker's queue, first in, first out, serves the workspaces in turn: however many checks one of them has
waiting, another waits for one message of it. Within a workspace the earliest deadline is next. Checks stay in
Redis until they have finished; a published message that was lost is published again after PUBLISHED_SECONDS.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import orjson
import redis

PUBLISHED_SECONDS = 60.0
"""How long a published message keeps the next one of its workspace waiting, if it does not finish."""

_SCRIPTS = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class SlowChecks:
    """Checks of one event that run on the slow queue, in one message.

    Attributes:
        message_id: the event.
        run: the run of the event that the outcomes count for.
        checks: names of the checks.
        deadline: of the outcomes, in seconds since the epoch.
    """

    message_id: str
    run: int
    checks: tuple[str, ...]
    deadline: float

    def to_entry(self) -> bytes:
        """Return the entry in Redis."""
        return orjson.dumps([self.message_id, self.run, self.checks, self.deadline])

    @classmethod
    def from_entry(cls, entry: bytes) -> SlowChecks:
        """Return the checks of an entry."""
        message_id, run, checks, deadline = orjson.loads(entry)
        return cls(message_id, run, tuple(checks), deadline)


class SlowQueue:
    """The checks of one extension that wait for the slow queue or are in it.

    Args:
        client: a Redis client that returns bytes.
        prefix: prefix of the extension's keys.
    """

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._prefix = f"{prefix}slow:"
        self._workspaces = f"{self._prefix}workspaces"
        self._enter = client.register_script((_SCRIPTS / "enter_slow_queue.lua").read_text())
        self._leave = client.register_script((_SCRIPTS / "leave_slow_queue.lua").read_text())

    def enter(self, workspace: str, checks: SlowChecks, position: int = 0) -> bool:
        """Add checks of a workspace; return whether the caller must publish them now. Safe to repeat.

        Args:
            workspace: the workspace.
            checks: the checks.
            position: order among checks with the same deadline.
        """
        arguments: list[str | bytes | int] = [
            workspace,
            checks.to_entry(),
            int(checks.deadline * 1000) + position,
            _PUBLISHED_MS,
        ]
        return bool(self._enter(keys=self._keys(workspace), args=arguments))

    def leave(self, workspace: str, checks: SlowChecks) -> SlowChecks | None:
        """Remove finished checks of a workspace; return those that the caller must publish next."""
        return self._next(workspace, checks.to_entry())

    def lost(self) -> list[tuple[str, SlowChecks]]:
        """Return workspaces whose published message was lost, each with the checks to publish."""
        names = [name.decode() for name in cast("set[bytes]", self._client.smembers(self._workspaces))]
        found = [(name, self._next(name, b"")) for name in sorted(names)]
        return [(name, checks) for name, checks in found if checks]

    def waiting(self) -> int:
        """Return the number of entries that have not finished."""
        names = cast("set[bytes]", self._client.smembers(self._workspaces))
        pipe = self._client.pipeline(transaction=False)
        for name in names:
            pipe.zcard(self._keys(name.decode())[1])
        return sum(pipe.execute())

    def _next(self, workspace: str, finished: bytes) -> SlowChecks | None:
        entry = self._leave(keys=self._keys(workspace), args=[workspace, finished, _PUBLISHED_MS])
        return SlowChecks.from_entry(entry) if entry else None

    def _keys(self, workspace: str) -> list[str]:
        return [
            f"{self._prefix}published:{workspace}",
            f"{self._prefix}waiting:{workspace}",
            self._workspaces,
        ]


_PUBLISHED_MS = int(PUBLISHED_SECONDS * 1000)
