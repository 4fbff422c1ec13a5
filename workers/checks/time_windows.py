"""Hours, dates and time zones as a policy writes them, and whether a moment is within them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from workers.checks.api import Options

MIDNIGHT = "24:00"
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_SPAN = ".."


class Day(StrEnum):
    """A day of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


_WEEK = tuple(Day)


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("wants an IANA time zone, such as Asia/Shanghai") from None
    return value


def _dates(value: str) -> str:
    try:
        first, last = parse_dates(value)
    except ValueError:
        raise ValueError("wants a date or a span of dates: 2026-10-01, 2026-10-01..2026-10-07") from None
    if last < first:
        raise ValueError("the span ends before it begins")
    if last == date.max:
        raise ValueError("the span has no day after it")
    return value


def _time(value: str) -> str:
    if value != MIDNIGHT and not _TIME.fullmatch(value):
        raise ValueError("wants a time from 00:00 to 24:00")
    return value


def _moment(value: str) -> str:
    try:
        zoned = datetime.fromisoformat(value).utcoffset() is not None
    except ValueError:
        zoned = False
    if not zoned:
        raise ValueError("wants a moment with its zone, such as 2026-10-01T09:00:00+08:00")
    return value


Zone = Annotated[str, AfterValidator(_zone)]
Time = Annotated[str, AfterValidator(_time)]
Dates = Annotated[str, AfterValidator(_dates)]
Moment = Annotated[str, AfterValidator(_moment)]


class TimeWindow(Options):
    """A window of time; without days it is every day's."""

    days: tuple[Day, ...] = Field(default=(), description="days of the week on which it begins: mon … sun")
    from_: Time = Field(default="00:00", alias="from", description="when it begins")
    to: Time = Field(default=MIDNIGHT, description="when it ends; at or before `from`: on the next day")

    def begins_on(self, day: date) -> bool:
        """Whether it begins on that day."""
        return not self.days or _WEEK[day.weekday()] in self.days

    def end_of(self, now: datetime) -> datetime | None:
        """Return when the window that `now` is in ends, both in its own time zone; None when in none."""
        for day in (now.date(), now.date() - timedelta(days=1)):
            begin, end = _at(day, self.from_), _at(day, self.to)
            if end <= begin:
                end += timedelta(days=1)
            if self.begins_on(day) and begin <= now < end:
                return end
        return None


def to_local(now: float, zone: str) -> datetime:
    """Return a moment (seconds since the epoch) as the clocks of a time zone show it."""
    return datetime.fromtimestamp(now, ZoneInfo(zone)).replace(tzinfo=None)


def is_within(windows: Iterable[TimeWindow], now: datetime) -> bool:
    """Whether `now`, in the windows' own time zone, is in one of them."""
    return any(window.end_of(now) for window in windows)


def parse_dates(value: str) -> tuple[date, date]:
    """Return the first and the last date of `2026-10-01` or `2026-10-01..2026-10-07`.

    Raises:
        ValueError: it is neither.
    """
    first, _, last = value.partition(_SPAN)
    return date.fromisoformat(first), date.fromisoformat(last or first)


def _at(day: date, clock: str) -> datetime:
    if clock == MIDNIGHT:
        return datetime.combine(day, time()) + timedelta(days=1)
    return datetime.combine(day, time.fromisoformat(clock))
