"""Calendar dates in code: which literals are one, and which columns hold them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from review.analysis.naming import is_partition_name

_DATE = re.compile(
    r"(?P<year>\d{4})(?P<mark>[-/.]?)(?P<month>\d{1,2})(?:(?P=mark)(?P<day>\d{1,2}))?"
    r"(?:[ T]?\d{2}(?::?\d{2}){0,2}(?:\.\d+)?Z?)?"
)
_QUOTED = re.compile(r"'([^'\\]*)'|\"([^\"\\]*)\"")
_YEARS = range(1990, 2090)
"""Years of real days; others are marks of `always` and `never` (1970-01-01, 9999-12-31)."""
_MONTHS = range(1, 13)
_DAYS = range(1, 32)
_COMPACT = frozenset({6, 8, 10, 12, 14})
"""Lengths of a date without marks: yyyymm, yyyymmdd, and with hours, minutes, seconds."""
_DATE_NAME = re.compile(
    r"(?:.*(?:date|time|day|month|_at|_dt|_ds|_ts|_on|timestamp)|gmt_.*|(?:date|day|month|stat|p)_.*|at|ts|ymd"
    r"|created|updated|modified|yyyymm\w*)"
)

_SCHEDULED_DAY = re.compile(
    r"\$(?:bizdate\b|\{(?:bdp\.system\.)?bizdate\}"
    r"|\[add_months\(yyyy(?P<mark_of_months>-?)mm(?P=mark_of_months)dd,\s*(?P<months>[+-]?\d{1,6})\)\]"
    r"|(?P<open>[\[{])yyyy(?P<mark>-?)mm(?P=mark)dd\s*+(?:(?P<days>[+-]\s*+\d{1,6})\s*+)?[\]}])",
    re.IGNORECASE,
)
_DAYS_PER_MONTH = 30


@dataclass(frozen=True, slots=True)
class ScheduledDay:
    """The day that a scheduling parameter stands for.

    Attributes:
        days: from the day of the run; -1 is the business date.
        months: from the day of the run, before `days` are added.
        separator: between year, month and day: empty or `-`.
    """

    days: int
    months: int = 0
    separator: str = ""

    @property
    def approximate_days(self) -> int:
        """Days from the day of the run, where a month counts as 30 days."""
        return self.months * _DAYS_PER_MONTH + self.days


def resolve_day(parameter: str) -> ScheduledDay | None:
    """Return the day that a scheduling parameter stands for; None unless `parameter` is exactly one of a day.

    `${yyyymmdd}` counts from the business date, which is the day before the run, as do `$bizdate` and the
    variable `${bizdate}`, which nodes assign it to, in whatever case. `$[yyyymmdd]` and
    `$[add_months(yyyymmdd,-1)]` count from the day of the run; `${…}` knows no `add_months`.
    Source: help page "Supported formats of scheduling parameters" of DataWorks.
    """
    return _day(_SCHEDULED_DAY.fullmatch(parameter))


def find_day(text: str) -> ScheduledDay | None:
    """Return the day of the first scheduling parameter in `text` that `resolve_day` would read, or None."""
    return _day(_SCHEDULED_DAY.search(text))


def _day(found: re.Match[str] | None) -> ScheduledDay | None:
    if found is None:
        return None
    if found["months"]:
        return ScheduledDay(0, int(found["months"]), found["mark_of_months"])
    business_day = 0 if found["open"] == "[" else -1
    return ScheduledDay(
        business_day + int("".join((found["days"] or "0").split())), separator=found["mark"] or ""
    )


def parse_calendar_date(value: str) -> bool:
    """Whether a literal is a day or month of the calendar."""
    found = _DATE.fullmatch(value.strip().rstrip("%*"))
    if found is None or int(found["year"]) not in _YEARS or int(found["month"]) not in _MONTHS:
        return False
    if found["day"] and int(found["day"]) not in _DAYS:
        return False
    digits = sum(character.isdigit() for character in value)
    return bool(found["mark"]) or digits in _COMPACT


def parse_quoted_date(text: str) -> tuple[int, int] | None:
    """Return where the first quoted calendar date stands in `text`, quotes included."""
    for quoted in _QUOTED.finditer(text):
        if parse_calendar_date(quoted[1] if quoted[1] is not None else quoted[2]):
            return quoted.span()
    return None


def is_date_name(column: str) -> bool:
    """Whether a column is named as one of days or times: `ds`, `stat_date`, `gmt_create`, `pay_time`."""
    return is_partition_name(column) or _DATE_NAME.fullmatch(column.lower()) is not None


def partition_date(spec: str) -> str | None:
    """Return the first calendar date among the values of a partition (`ds=20240501,hh=00`), or None."""
    values = (part.partition("=")[2].strip(" '\"") for part in re.split(r"[,/]", spec))
    return next((value for value in values if parse_calendar_date(value)), None)
