"""When nodes run in a day, by their cron."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product

_PART = re.compile(r"(?P<from>\d{1,2})(?:-(?P<to>\d{1,2}))?(?:/(?P<step>\d{1,2}))?")
_ALL = re.compile(r"\*(?:/(?P<step>\d{1,2}))?")
_FIELDS = (6, 7)
"""Second, minute, hour, day, month, day of the week, and perhaps a year."""
_MINUTES = 60
_HOURS = 24


@dataclass(frozen=True, slots=True)
class Day:
    """The first and the last run of a day, in minutes since midnight, and how many there are."""

    first: int
    last: int
    runs: int


def day(cron: str | None) -> Day | None:
    """Return when `cron` (`00 30 00 * * ?`: second, minute, hour, …) runs; None when that cannot be read.

    On which days it runs is not looked at.
    """
    fields = (cron or "").split()
    if len(fields) not in _FIELDS:
        return None
    minutes, hours = _values(fields[1], _MINUTES), _values(fields[2], _HOURS)
    if not minutes or not hours:
        return None
    times = [hour * _MINUTES + minute for hour, minute in product(hours, minutes)]
    return Day(min(times), max(times), len(times))


def clock(minutes: int) -> str:
    """Return minutes since midnight as `03:30`."""
    return f"{minutes // _MINUTES:02}:{minutes % _MINUTES:02}"


def _values(field: str, end: int) -> set[int] | None:
    """Return the numbers below `end` that a field of a cron names; None when it cannot be read."""
    found: set[int] = set()
    for part in field.split(","):
        if match := _ALL.fullmatch(part):
            begin, last, step = 0, end - 1, int(match["step"] or 1)
        elif match := _PART.fullmatch(part):
            begin, step = int(match["from"]), int(match["step"] or 1)
            last = int(match["to"]) if match["to"] else end - 1 if match["step"] else begin
        else:
            return None
        if not step or last >= end:
            return None
        found.update(range(begin, last + 1, step))
    return found
