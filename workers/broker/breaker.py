"""Ends attempts to publish for a moment after one has failed, so that tasks do not wait for one each."""

from __future__ import annotations

import threading
import time

PAUSE_SECONDS = 1.0
"""Seconds without an attempt after one has failed."""

ATTEMPT_SECONDS = 15.0
"""Seconds after which an attempt that has not ended counts as failed."""


class CircuitBreaker:
    """Whether the threads of this process may try to publish: all of them, or one in PAUSE_SECONDS."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed_until = 0.0

    def may_try(self) -> bool:
        """Return whether the caller may publish now; it then reports how that ended."""
        with self._lock:
            now = time.monotonic()
            if now < self._closed_until:
                return False
            if self._closed_until:
                self._closed_until = now + ATTEMPT_SECONDS
            return True

    def note_success(self) -> bool:
        """Record a publish: every thread may try again. Return whether the one before it failed."""
        with self._lock:
            had_failed, self._closed_until = self._closed_until > 0, 0.0
            return had_failed

    def note_failure(self) -> bool:
        """Record a failed attempt. Return whether the one before it succeeded."""
        with self._lock:
            had_failed, self._closed_until = self._closed_until > 0, time.monotonic() + PAUSE_SECONDS
            return not had_failed
