"""Times on the command line: an age or a date."""

from __future__ import annotations

import re
import time
from datetime import datetime

import typer

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_AGO = re.compile(r"(\d{1,6})([smhdw])")


def parse_time(text: str) -> float:
    """Return seconds since the epoch for an age (`7d`, `2h`, `30m`) or an ISO date, local without an offset.

    Raises:
        ValueError: the text is neither.
    """
    if ago := _AGO.fullmatch(text):
        return time.time() - int(ago[1]) * _UNITS[ago[2]]
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is neither an age (7d, 2h, 30m) nor a date (2026-11-22T08:00)") from None


def time_option(text: str) -> float:
    """Parse a time as `parse_time` does; for options, whose errors typer reports.

    Raises:
        typer.BadParameter: the text is neither.
    """
    try:
        return parse_time(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
