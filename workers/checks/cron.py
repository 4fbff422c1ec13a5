"""Cron expressions as DataWorks writes them: Quartz form, `second minute hour day month weekday [year]`.

Two fields are not read: the weekday, because there are two ways to number it and nothing says which one a
workspace uses, and the year. Seconds are validated but do not count: a node runs at most once a minute. As in
Quartz, a range may wrap around (`22-2` in hours is 22, 23, 0, 1, 2).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from croniter import CroniterError, croniter

_FIELD_COUNTS = (6, 7)
_MAX_LENGTH = 256
"""Characters of an expression; no real one comes near, and a longer one is not worth its parsing time."""
_MINUTES_PER_HOUR, _HOURS_PER_DAY = 60, 24
_FIELD = re.compile(r"(?:[0-9]+|[A-Za-z]{3}|[LW*?,/-])+")
"""What a field consists of. It keeps out croniter's own `H` and `R`, which stand for random values."""


@dataclass(frozen=True, slots=True)
class DailyRuns:
    """When a schedule runs in a day.

    Attributes:
        times: of every run, in minutes since midnight, ascending; at least one.
        days: the day and month fields of the expression.
    """

    times: tuple[int, ...]
    days: tuple[str, str] = ("*", "*")

    @property
    def first(self) -> int:
        """The first run, in minutes since midnight."""
        return self.times[0]

    @property
    def last(self) -> int:
        """The last run, in minutes since midnight."""
        return self.times[-1]

    def count_until(self, now: datetime) -> int:
        """Return how many runs of today are due by `now`, a time in the schedule's own time zone.

        None on a day or in a month that the expression leaves out; any weekday counts.
        """
        if not croniter.match(f"* * {' '.join(self.days)} *", now):
            return 0
        return bisect_right(self.times, now.hour * _MINUTES_PER_HOUR + now.minute)


def parse_cron(expression: str | None) -> DailyRuns | None:
    """Return when `expression` (`00 30 00 * * ?`) runs; None when it is missing or cannot be read."""
    fields = (expression or "")[: _MAX_LENGTH + 1].split()
    if len(expression or "") > _MAX_LENGTH or len(fields) not in _FIELD_COUNTS:
        return None
    second, minute, hour, day, month = fields[:5]
    if not all(map(_FIELD.fullmatch, fields[:5])):
        return None
    try:
        expanded, _ = croniter.expand(f"{second} {minute} {hour} {day} {month} ?", second_at_beginning=True)
    except CroniterError:
        return None
    minutes, hours = _values(expanded[0], _MINUTES_PER_HOUR), _values(expanded[1], _HOURS_PER_DAY)
    times = sorted(at * _MINUTES_PER_HOUR + past for at in hours for past in minutes)
    return DailyRuns(tuple(times), (day, month))


def format_time(minutes: int) -> str:
    """Return minutes since midnight as `03:30`."""
    return f"{minutes // _MINUTES_PER_HOUR:02}:{minutes % _MINUTES_PER_HOUR:02}"


def _values(expanded: Sequence[int | str], end: int) -> list[int]:
    """Return the numbers below `end` of an expanded field; croniter writes `*` for all of them."""
    numbers = [value for value in expanded if isinstance(value, int)]
    return numbers or list(range(end))
