"""Times as people read them, in the time zone of the console's machine, which is named."""

from __future__ import annotations

from datetime import datetime


def format_moment(seconds: float) -> str:
    """Return date, time and zone of a time in seconds since the epoch: `2026-11-28 10:42:07 +08:00`."""
    moment = datetime.fromtimestamp(seconds).astimezone()
    return f"{moment:%Y-%m-%d %H:%M:%S} {moment.isoformat()[-6:]}"


def format_clock(seconds: float) -> str:
    """Return the time of day to the millisecond."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(" ", "milliseconds").split(" ")[1][:12]
