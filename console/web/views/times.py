"""Times as the pages show them: in the zone in which DataWorks shows its own."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from common.ledger.daily_counts import TIME_ZONE

DAY = 86400.0

_AGE = re.compile(r"(\d{1,4})([hd])")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::\d{2})?)?")


def format_moment(at: float) -> str:
    """Return a time, in seconds since the epoch, as `2026-11-29 10:44:02`."""
    return datetime.fromtimestamp(at, TIME_ZONE).strftime("%Y-%m-%d %H:%M:%S")


def format_moment_with_zone(at: float) -> str:
    """Return a time, in seconds since the epoch, as `2026-11-29 10:44:02 +08:00`."""
    return f"{format_moment(at)} {datetime.fromtimestamp(at, TIME_ZONE).isoformat()[-6:]}"


def format_clock(at: float) -> str:
    """Return the time of day of a time, in seconds since the epoch, to the millisecond: `10:44:02.125`."""
    return datetime.fromtimestamp(at, TIME_ZONE).isoformat(timespec="milliseconds")[11:23]


def parse_moment(text: str, now: float) -> float:
    """Return the time of a text, in seconds since the epoch.

    Args:
        text: `24h` or `7d` ago, `2026-11-29`, or `2026-11-29T10:44`.
        now: seconds since the epoch.

    Raises:
        ValueError: it is none of these.
    """
    if match := _AGE.fullmatch(text):
        hours = int(match[1]) * (1 if match[2] == "h" else 24)
        return now - timedelta(hours=hours).total_seconds()
    if match := _MOMENT.fullmatch(text):
        found = datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00'}")
        return found.replace(tzinfo=TIME_ZONE).timestamp()
    raise ValueError("expected a time such as 24h, 7d, 2026-11-29 or 2026-11-29T10:44")
