"""Hours, dates and time zones in a policy, and whether a time is within them."""

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
"""End of a day; `datetime.time` has no such value."""

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
        raise ValueError("invalid; expected an IANA time zone, such as Asia/Shanghai") from None
    return value


def _dates(value: str) -> str:
    try:
        first, last = parse_dates(value)
    except ValueError:
        raise ValueError(
            "invalid; expected a date or a range of dates: 2026-10-01, 2026-10-01..2026-10-07"
        ) from None
    if last < first:
        raise ValueError("invalid; the range ends before it starts")
    if last == date.max:
        raise ValueError(f"invalid; the range must end before {date.max}")
    return value


def _time(value: str) -> str:
    if value != MIDNIGHT and not _TIME.fullmatch(value):
        raise ValueError("invalid; expected a time from 00:00 to 24:00")
    return value


def _moment(value: str) -> str:
    try:
        zoned = datetime.fromisoformat(value).utcoffset() is not None
    except ValueError:
        zoned = False
    if not zoned:
        raise ValueError("invalid; expected a time with its UTC offset, such as 2026-10-01T09:00:00+08:00")
    return value


Zone = Annotated[str, AfterValidator(_zone)]
Time = Annotated[str, AfterValidator(_time)]
Dates = Annotated[str, AfterValidator(_dates)]
Moment = Annotated[str, AfterValidator(_moment)]


class TimeWindow(Options):
    """A daily time window; without `days` it applies to every day."""

    days: tuple[Day, ...] = Field(default=(), description="days of the week on which it starts: mon … sun")
    from_: Time = Field(default="00:00", alias="from", description="start time")
    to: Time = Field(default=MIDNIGHT, description="end time; on the next day if not after `from`")

    def begins_on(self, day: date) -> bool:
        """Whether it starts on that day."""
        return not self.days or _WEEK[day.weekday()] in self.days

    def end_of(self, now: datetime) -> datetime | None:
        """Return the end of the window that contains `now`, both in its own time zone; None if outside."""
        for day in (now.date(), now.date() - timedelta(days=1)):
            begin, end = _at(day, self.from_), _at(day, self.to)
            if end <= begin:
                end += timedelta(days=1)
            if self.begins_on(day) and begin <= now < end:
                return end
        return None


def to_local(now: float, zone: str) -> datetime:
    """Convert seconds since the epoch to the local time of a time zone, without `tzinfo`."""
    return datetime.fromtimestamp(now, ZoneInfo(zone)).replace(tzinfo=None)


def is_within(windows: Iterable[TimeWindow], now: datetime) -> bool:
    """Whether `now`, in the time zone of the windows, is within one of them."""
    return any(window.end_of(now) for window in windows)


def parse_dates(value: str) -> tuple[date, date]:
    """Return the first and the last date of `2026-10-01` or `2026-10-01..2026-10-07`.

    Raises:
        ValueError: `value` has neither form.
    """
    first, _, last = value.partition(_SPAN)
    return date.fromisoformat(first), date.fromisoformat(last or first)


def _at(day: date, clock: str) -> datetime:
    if clock == MIDNIGHT:
        return datetime.combine(day, time()) + timedelta(days=1)
    return datetime.combine(day, time.fromisoformat(clock))
