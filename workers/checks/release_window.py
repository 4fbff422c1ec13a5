"""The check `release-window`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from common.points import BY_CODE
from common.verdicts import Finding, Severity
from workers.checks.check import Context, Options, Runs
from workers.checks.registry import check

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
        first, last = _span(value)
    except ValueError:
        raise ValueError("wants a date or a span of dates: 2026-10-01, 2026-10-01..2026-10-07") from None
    if last < first:
        raise ValueError("the span ends before it begins")
    return value


def _time(value: str) -> str:
    if value != MIDNIGHT and not _TIME.fullmatch(value):
        raise ValueError("wants a time from 00:00 to 24:00")
    return value


def _point(value: str) -> str:
    if value not in BY_CODE:
        raise ValueError("no such extension point")
    return value


Time = Annotated[str, AfterValidator(_time)]


class Closed(Options):
    """A window in which operations wait; without days and dates it is every day's."""

    days: tuple[Day, ...] = Field(default=(), description="days of the week on which it begins: mon … sun")
    dates: tuple[Annotated[str, AfterValidator(_dates)], ...] = Field(
        default=(), description="dates on which it begins: 2026-10-01, 2026-10-01..2026-10-07"
    )
    from_: Time = Field(default="00:00", alias="from", description="when it begins")
    to: Time = Field(default=MIDNIGHT, description="when it ends; at or before `from`: on the next day")
    points: tuple[Annotated[str, AfterValidator(_point)], ...] = Field(
        default=(), description="the extension points that are closed; all when empty"
    )

    @model_validator(mode="after")
    def _days_or_dates(self) -> Closed:
        if self.days and self.dates:
            raise ValueError("wants days or dates, not both")
        return self


class ReleaseWindowOptions(Options):
    """What a workspace may set."""

    time_zone: Annotated[str, AfterValidator(_zone)] = Field(
        default="Asia/Shanghai", description="IANA time zone of the windows"
    )
    closed: tuple[Closed, ...] = Field(default=(), description="the windows in which operations wait")


@check("release-window", runs=Runs.INLINE, options=ReleaseWindowOptions)
def release_window(context: Context) -> Iterator[Finding]:
    """Ask whether operations are open at this hour.

    Why: nobody wants a change on the night before a holiday, or while month end is being computed.

    Options:
        time_zone: IANA time zone of the windows; Asia/Shanghai if not set.
        closed: windows, none if not set. Each has the days (mon … sun) or dates (2026-10-01,
            2026-10-01..2026-10-07) on which it begins, from and to (HH:MM, over midnight when `to` is not
            later), and the points that it closes.
    """
    options: ReleaseWindowOptions = context.options
    now = datetime.fromtimestamp(context.now, ZoneInfo(options.time_zone))
    for window in options.closed:
        if window.points and context.event.event_code not in window.points:
            continue
        if until := _until(window, now.replace(tzinfo=None)):
            yield Finding(
                "release-window",
                Severity.BLOCK,
                f"{context.event.event_code} is closed until {until:%Y-%m-%d %H:%M} ({options.time_zone}).",
                help="Try again then, or ask who keeps the release calendar.",
            )
            return


def _until(window: Closed, now: datetime) -> datetime | None:
    """Return when the window that `now` is in ends, both in its own time zone; None when `now` is in none."""
    for day in (now.date(), now.date() - timedelta(days=1)):
        begin, end = _at(day, window.from_), _at(day, window.to)
        if end <= begin:
            end += timedelta(days=1)
        if _begins_on(window, day) and begin <= now < end:
            return end
    return None


def _begins_on(window: Closed, day: date) -> bool:
    if window.dates:
        return any(first <= day <= last for first, last in map(_span, window.dates))
    return not window.days or _WEEK[day.weekday()] in window.days


def _span(value: str) -> tuple[date, date]:
    first, _, last = value.partition(_SPAN)
    return date.fromisoformat(first), date.fromisoformat(last or first)


def _at(day: date, clock: str) -> datetime:
    if clock == MIDNIGHT:
        return datetime.combine(day, time()) + timedelta(days=1)
    return datetime.combine(day, time.fromisoformat(clock))
