"""The time of the fleet: the clock of the Redis server, by which the ledger judges deadlines and leases.

Machines have clocks of their own, which can be wrong and can jump. Each process measures the difference
between the server's clock and its machine's monotonic clock, at start and every few seconds. In between the
monotonic clock continues, so neither a wrong clock nor a jump of the machine's clock changes what `now`
returns.
"""

from __future__ import annotations

import ctypes
import math
import mmap
import time
from typing import Protocol

import structlog

MEASURE_SECONDS = 5.0
"""Seconds between two measurements."""

MAX_ROUND_TRIP_SECONDS = 1.0
"""A measurement that took longer is dropped: its error may be half of that."""

MAX_SKEW_SECONDS = 5.0
"""A machine whose clock differs by more than this is reported."""

log = structlog.get_logger()


class TimeSource(Protocol):
    """A Redis client."""

    def time(self) -> tuple[int, int]:
        """Return the server's time as seconds and microseconds."""


def _share() -> ctypes.c_double:
    """Return a number in memory that processes forked from this one share; not a number yet."""
    shared = ctypes.c_double.from_buffer(mmap.mmap(-1, ctypes.sizeof(ctypes.c_double)))
    shared.value = math.nan
    return shared


_offset = _share()
"""The server's time minus the monotonic clock, in seconds; not a number before the first measurement.

The processes of a Celery pool are forked: they follow the measurements of their parent.
"""


def reset() -> None:
    """Forget the measurements, and share later ones only with processes that are forked from now on."""
    global _offset  # noqa: PLW0603 - one clock per process
    _offset = _share()


def now() -> float:
    """Return the server's time, in seconds since the epoch; before the first measurement the machine's."""
    offset = _offset.value
    return time.time() if math.isnan(offset) else time.monotonic() + offset


def skew() -> float:
    """Return the seconds by which the machine's clock is ahead of the server's; 0 before a measurement."""
    return 0.0 if math.isnan(_offset.value) else time.time() - now()


def measure(source: TimeSource) -> None:
    """Measure the difference between the server's clock and this machine's.

    Raises:
        redis.RedisError: the server does not respond; earlier measurements remain in use.
    """
    before = time.monotonic()
    seconds, micros = source.time()
    after = time.monotonic()
    known, offset = _offset.value, seconds + micros / 1e6 - (before + after) / 2
    if after - before > MAX_ROUND_TRIP_SECONDS and not math.isnan(known):
        return
    if abs(offset - known) > MAX_SKEW_SECONDS:
        log.error("server_clock_jumped", seconds=round(offset - known, 1))
    _offset.value = offset


class SkewReport:
    """Logs when the machine's clock becomes wrong, and when it is right again."""

    def __init__(self) -> None:
        self._is_reported = False

    def update(self) -> float:
        """Log a change; return the seconds by which the machine's clock is ahead of the server's."""
        seconds = skew()
        if is_off := abs(seconds) > MAX_SKEW_SECONDS:
            if not self._is_reported:
                log.error("clock_off", seconds=round(seconds, 1), allowed=MAX_SKEW_SECONDS)
        elif self._is_reported:
            log.info("clock_right", seconds=round(seconds, 1))
        self._is_reported = is_off
        return seconds
