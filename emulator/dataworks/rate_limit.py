"""The gateway's flow control: a maximum of calls in any one second, for reads and writes separately."""

from __future__ import annotations

from collections import deque

from emulator.dataworks.responses import GatewayError

WINDOW_SECONDS = 1.0
READS = ("Get", "List", "Search")


def is_read(action: str) -> bool:
    """Whether an operation counts as a read, according to its name (help page "Use DataWorks OpenAPI")."""
    return action.startswith(READS)


class RateWindow:
    """At most `most` calls in any second; 0 for no limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._calls: deque[float] = deque()
        self.refused = 0

    def take(self, now: float) -> None:
        """Count a call at `now`, in seconds of a monotonic clock.

        Raises:
            GatewayError: the limit is reached; the call is not counted.
        """
        if not self._limit:
            return
        while self._calls and self._calls[0] <= now - WINDOW_SECONDS:
            self._calls.popleft()
        if len(self._calls) >= self._limit:
            self.refused += 1
            raise GatewayError(429, "Throttling.User", "Your request is too frequent. Try again later.")
        self._calls.append(now)


class Rates:
    """The two windows of an account: `read_qps` and `write_qps` calls per second."""

    def __init__(self, read_qps: int, write_qps: int) -> None:
        self._reads = RateWindow(read_qps)
        self._writes = RateWindow(write_qps)

    @property
    def refused(self) -> int:
        """Number of rejected calls."""
        return self._reads.refused + self._writes.refused

    def take(self, action: str, now: float) -> None:
        """Count a call of `action`.

        Raises:
            GatewayError: the limit is reached.
        """
        (self._reads if is_read(action) else self._writes).take(now)
