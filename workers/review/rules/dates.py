"""Calendar dates in code: which literals are one, and which columns hold them."""

from __future__ import annotations

import re

from workers.review.rules.names import partition_name

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

_RUN_DAY = re.compile(
    r"\$(?:bizdate|\{(?:bdp\.system\.)?bizdate\}"
    r"|(?P<open>[\[{])yyyy(?P<mark>-?)mm(?P=mark)dd\s*(?P<days>[+-]\s*\d+)?\s*[\]}])",
    re.IGNORECASE,
)


def run_day(parameter: str) -> tuple[int, str] | None:
    """Return the day that a scheduling parameter stands for: days after that of the run, and its separator.

    `${yyyymmdd}` counts from the business date, which is the day before the run, as is `${bizdate}`;
    `$[yyyymmdd]` counts from the day of the run. None for what is more, or less, than one such parameter.
    Source: help page "Supported formats of scheduling parameters" of DataWorks.
    """
    found = _RUN_DAY.fullmatch(parameter)
    if found is None:
        return None
    begin = 0 if found["open"] == "[" else -1
    return begin + int((found["days"] or "0").replace(" ", "")), found["mark"] or ""


def calendar_date(value: str) -> bool:
    """Whether a literal is a day or month of the calendar."""
    found = _DATE.fullmatch(value.strip().rstrip("%*"))
    if found is None or int(found["year"]) not in _YEARS or int(found["month"]) not in _MONTHS:
        return False
    if found["day"] and int(found["day"]) not in _DAYS:
        return False
    digits = sum(character.isdigit() for character in value)
    return bool(found["mark"]) or digits in _COMPACT


def quoted_date(text: str) -> tuple[int, int] | None:
    """Return where the first quoted calendar date stands in `text`, quotes included."""
    for quoted in _QUOTED.finditer(text):
        if calendar_date(quoted[1] if quoted[1] is not None else quoted[2]):
            return quoted.span()
    return None


def date_name(column: str) -> bool:
    """Whether a column is named as one of days or times: `ds`, `stat_date`, `gmt_create`, `pay_time`."""
    return partition_name(column) or _DATE_NAME.fullmatch(column.lower()) is not None


def partition_date(spec: str) -> str | None:
    """Return the first calendar date among the values of a partition (`ds=20240501,hh=00`), or None."""
    values = (part.partition("=")[2].strip(" '\"") for part in re.split(r"[,/]", spec))
    return next((value for value in values if calendar_date(value)), None)
