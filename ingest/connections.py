"""How long an HTTP connection may stay in one phase, and which connection is closed to make room for another.

Bookkeeping without sockets or timers, in constant time per request: all connections of one phase have the
same time limit, so the first of a phase is always the one that expires next.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from enum import StrEnum
from typing import Generic, TypeVar

MAX_CONNECTIONS = 2000
"""Connections of one process. EventBridge and a proxy need some dozens; each costs at most about 50 KB."""

KEEP_ALIVE_SECONDS = 65
"""Seconds that a connection may stay open between two requests.

Longer than the 60 s after which common proxies close an idle connection to their upstream: the side that
sends the requests should be the one that closes, or a request is lost on a connection that is just being
closed.
"""


class Phase(StrEnum):
    """What a connection waits for; the order of `EVICTABLE` decides which ones are closed first."""

    HEAD = "head"
    """The rest of a request's head, or the first byte after connecting."""
    BODY = "body"
    """The rest of a body that the application reads."""
    ANSWER = "answer"
    """The application's response, or the client to read it."""
    DRAIN = "drain"
    """The rest of a body that nothing reads, since the response has already been sent."""
    IDLE = "idle"
    """The next request."""
    CLOSING = "closing"
    """The client to close, after the last response."""


SECONDS = {
    Phase.HEAD: 10.0,
    Phase.BODY: 10.0,
    Phase.ANSWER: 10.0,
    Phase.DRAIN: 10.0,
    Phase.IDLE: KEEP_ALIVE_SECONDS + 5.0,  # a backstop: the server closes idle connections itself
    Phase.CLOSING: 2.0,
}
"""Maximum seconds of each phase."""

EVICTABLE = (Phase.HEAD, Phase.DRAIN, Phase.CLOSING, Phase.IDLE)
"""Phases in which closing a connection loses no request that has been accepted."""

ConnectionT = TypeVar("ConnectionT", bound=Hashable)


class ConnectionTable(Generic[ConnectionT]):
    """The open connections by phase, each phase in the order in which they entered it.

    Args:
        max_connections: above this number, one must be closed for each that is accepted.
    """

    def __init__(self, max_connections: int = MAX_CONNECTIONS) -> None:
        self._max_connections = max_connections
        self._phases: dict[ConnectionT, Phase] = {}
        # Ordered dictionaries, not plain ones: taking the first item repeatedly is linear in those.
        self._entered: dict[Phase, OrderedDict[ConnectionT, float]] = {
            phase: OrderedDict() for phase in Phase
        }

    def __len__(self) -> int:
        return len(self._phases)

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another connection."""
        return len(self._phases) >= self._max_connections

    def enter(self, connection: ConnectionT, phase: Phase, now: float, *, restart: bool = False) -> None:
        """Move a connection, new or known, to `phase`.

        Args:
            connection: the connection.
            phase: its phase; if it is already in it, its time continues to run.
            now: monotonic seconds.
            restart: whether its time starts again in that case, too.
        """
        before = self._phases.get(connection)
        if before is phase and not restart:
            return
        if before is not None:
            del self._entered[before][connection]
        self._phases[connection] = phase
        self._entered[phase][connection] = now

    def remove(self, connection: ConnectionT) -> None:
        """Forget a connection; unknown ones are ignored."""
        phase = self._phases.pop(connection, None)
        if phase is not None:
            del self._entered[phase][connection]

    def find_evictable(self) -> ConnectionT | None:
        """Return the connection to close for a new one; None if all have requests in progress."""
        for phase in EVICTABLE:
            if self._entered[phase]:
                return next(iter(self._entered[phase]))
        return None

    def expired(self, now: float) -> list[tuple[ConnectionT, Phase]]:
        """Return the connections that have been in their phase for too long, and that phase."""
        found = []
        for phase, entered in self._entered.items():
            for connection, since in entered.items():
                if now - since < SECONDS[phase]:
                    break
                found.append((connection, phase))
        return found
