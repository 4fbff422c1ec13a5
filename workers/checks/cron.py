"""Cron expressions of DataWorks, in Quartz format: `second minute hour day month weekday [year]`.

Two fields are ignored: the weekday, because there are two numberings and it is not documented which one a
workspace uses, and the year. Seconds are validated but ignored: a node runs at most once a minute. As in
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
"""Characters of an expression: far more than a real one has, and a bound on the parsing time."""
_MINUTES_PER_HOUR, _HOURS_PER_DAY = 60, 24
_FIELD = re.compile(r"(?:[0-9]++|[A-Za-z]{3}|[LW*?,/-])++")
"""Characters of a field. Excludes croniter's own `H` and `R`, which mean random values."""


@dataclass(frozen=True, slots=True)
class DailyRuns:
    """The runs of a schedule within a day.

    Attributes:
        times: times of all runs, in minutes since midnight, ascending; at least one.
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
        """Return the number of today's runs that are due by `now`, a time in the schedule's own time zone.

        Zero on a day or in a month that the expression excludes; the weekday is ignored.
        """
        if not croniter.match(f"* * {' '.join(self.days)} *", now):
            return 0
        return bisect_right(self.times, now.hour * _MINUTES_PER_HOUR + now.minute)


def parse_cron(expression: str | None) -> DailyRuns | None:
    """Parse `expression` (`00 30 00 * * ?`); return None if it is missing or invalid."""
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
    """Return the values of an expanded field; for `*`, which croniter keeps, all numbers below `end`."""
    numbers = [value for value in expanded if isinstance(value, int)]
    return numbers or list(range(end))
