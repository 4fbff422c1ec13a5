"""Back-pressure: what to do with events that are already held while broker or Redis is unavailable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ingest.receiver import Unavailable

MIN_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 5.0
"""Bounds of the pause before the next attempt; it doubles with each one that fails."""

T = TypeVar("T")


class RetryGate:
    """Repeats what fails for an unavailable engine, until it succeeds.

    While the engine is unavailable one of those that wait tries at a time, after a growing pause. When it
    succeeds, all others try at once. So an outage costs one attempt and one line of the log for each pause,
    however many wait.

    Args:
        min_pause: seconds before the first repetition.
        max_pause: maximum seconds between two repetitions.
    """

    def __init__(self, min_pause: float = MIN_PAUSE_SECONDS, max_pause: float = MAX_PAUSE_SECONDS) -> None:
        self._min_pause = min_pause
        self._max_pause = max_pause
        self._pause = min_pause
        self._is_closed = False
        self._turn = asyncio.Lock()

    async def repeat(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Repeat an attempt that has just failed until it succeeds; return its result."""
        self._is_closed = True
        while True:
            async with self._turn:
                if self._is_closed:
                    await asyncio.sleep(self._pause)
                    self._pause = min(2 * self._pause, self._max_pause)
                    try:
                        result = await attempt()
                    except Unavailable:
                        continue
                    self._is_closed, self._pause = False, self._min_pause
                    return result
            try:
                return await attempt()
            except Unavailable:
                self._is_closed = True
