"""A lock against guesses of passwords, for every page with a login."""

from __future__ import annotations

import time
from collections.abc import Callable

from cachetools import TTLCache

MAX_FAILURES = 10
"""Wrong passwords after which a source is locked."""

WINDOW_SECONDS = 60
MAX_SOURCES = 10_000


class GuessLock:
    """Counts wrong passwords by their source, such as an address or the name of a user.

    After `MAX_FAILURES`, each within `WINDOW_SECONDS` of the one before, a source is locked for
    `WINDOW_SECONDS`. Meanwhile a correct password is rejected as well: otherwise guessing would continue.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures: TTLCache[str, int] = TTLCache(MAX_SOURCES, WINDOW_SECONDS, timer=clock)

    def is_locked(self, source: str) -> bool:
        """Whether too many wrong passwords came from a source."""
        return self._failures.get(source, 0) >= MAX_FAILURES

    def count_failure(self, source: str) -> None:
        """Count a wrong password."""
        self._failures[source] = self._failures.get(source, 0) + 1
