"""How often a schedule has come round today: cron expressions as DataWorks writes them."""

from __future__ import annotations

from datetime import datetime

_FIELDS = (6, 7)
_ANY = ("*", "?")
_MINUTES, _HOURS, _DAYS, _MONTHS = (0, 59), (0, 23), (1, 31), (1, 12)


def runs_by(cron: str | None, now: datetime) -> int:
    """Return how many runs of today a schedule has had by `now`, a moment in the schedule's own time zone.

    The expression is `second minute hour day month weekday`. One that is missing or of a form that is not
    known counts as one run a day that is past. Any day of the week counts as today: there are two ways to
    number them.
    """
    parts = (cron or "").split()
    if len(parts) not in _FIELDS:
        return 1
    minutes, hours = _values(parts[1], _MINUTES), _values(parts[2], _HOURS)
    if minutes is None or hours is None:
        return 1
    if not (_today(parts[3], _DAYS, now.day) and _today(parts[4], _MONTHS, now.month)):
        return 0
    past = sum(hour < now.hour for hour in hours) * len(minutes)
    return past + (now.hour in hours) * sum(minute <= now.minute for minute in minutes)


def _today(part: str, bounds: tuple[int, int], value: int) -> bool:
    values = _values(part, bounds)
    return values is None or value in values


def _values(part: str, bounds: tuple[int, int]) -> frozenset[int] | None:
    """Return the values that a field stands for; None when its form is not known."""
    found: set[int] = set()
    for item in part.split(","):
        values = _range(item, bounds)
        if values is None:
            return None
        found.update(values)
    return frozenset(found)


def _range(item: str, bounds: tuple[int, int]) -> range | None:
    least, most = bounds
    span, slash, step = item.partition("/")
    first, dash, last = span.partition("-")
    if span in _ANY:
        first, last = str(least), str(most)
    elif not dash:
        last = str(most) if slash else first
    if not all(number.isascii() and number.isdecimal() for number in (first, last, step or "1")):
        return None
    begin, end, every = int(first), int(last), int(step or "1")
    return range(begin, end + 1, every) if least <= begin <= end <= most and every else None
