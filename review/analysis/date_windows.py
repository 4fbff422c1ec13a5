"""How many days of partitions the predicates of a reading span, as far as the text tells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from review.analysis.partition_filters import FilterEffect, PartitionFilter
from review.analysis.partition_pruning import PartitionedRead
from review.analysis.scheduling_dates import find_day
from review.facts import Operand, OperandKind, Operator


@dataclass(frozen=True, slots=True)
class DateWindow:
    """The partitions of one column that are read.

    Attributes:
        filter: the predicate that says it.
        days: how many days, or values of an IN list; None when it is open to the past.
    """

    filter: PartitionFilter
    days: int | None


def date_windows(code: str, reading: PartitionedRead) -> Iterable[DateWindow]:
    """Yield the windows of a pruned reading that the text tells; nothing of what it does not."""
    by_column: dict[str, list[PartitionFilter]] = {}
    for found in reading.filters:
        if found.effect in (FilterEffect.PRUNES, FilterEffect.JOINED):
            by_column.setdefault(found.column.lower(), []).append(found)
    for group in by_column.values():
        if window := _date_window(code, group):
            yield window


def _date_window(code: str, group: list[PartitionFilter]) -> DateWindow | None:
    operators = {found.predicate.operator for found in group}
    last = group[-1]
    if operators <= _OPEN and all(_fixed_days(found) for found in group):
        return DateWindow(last, None)
    if lists := [found for found in group if found.predicate.operator is Operator.IN]:
        rights = lists[0].predicate.rights
        return None if any(right.blocks for right in rights) else DateWindow(lists[0], len(rights))
    if operators - _RANGE:
        return None
    lows = [bound for found in group if (bound := _day_bound(code, found, _LOWER, 0))]
    highs = [bound for found in group if (bound := _day_bound(code, found, _UPPER, 1))]
    if len(lows) != 1 or len(highs) != 1 or lows[0].run != highs[0].run:
        return None
    return DateWindow(last, highs[0].day - lows[0].day + 1)


_OPEN = frozenset({Operator.LT, Operator.LE, Operator.NE, Operator.NOT_IN})
_RANGE = frozenset({Operator.LT, Operator.LE, Operator.GT, Operator.GE, Operator.BETWEEN})
_LOWER = frozenset({Operator.GT, Operator.GE, Operator.BETWEEN})
_UPPER = frozenset({Operator.LT, Operator.LE, Operator.BETWEEN})


def _fixed_days(found: PartitionFilter) -> bool:
    """Whether the column stands at the left, and is compared with nothing that is read from a table."""
    left, rights = found.predicate.left, found.predicate.rights
    return (
        left.sort is OperandKind.COLUMN
        and bool(rights)
        and not any(side.columns or side.blocks for side in rights)
    )


@dataclass(frozen=True, slots=True)
class _Day:
    """A day: of the calendar, or counted from the day of the run."""

    day: int
    run: bool


def _day_bound(code: str, found: PartitionFilter, operators: frozenset[Operator], place: int) -> _Day | None:
    predicate = found.predicate
    if predicate.operator not in operators or not _fixed_days(found):
        return None
    right = predicate.rights[place if predicate.operator is Operator.BETWEEN else 0]
    return _day(code, right)


def resolve_run_day(code: str, operand: Operand) -> int | None:
    """Return the day that an operand stands for, counted from that of the run; None if unknown."""
    day = _day(code, operand)
    return day.day if day and day.run else None


def _day(code: str, operand: Operand) -> _Day | None:
    if operand.sort not in (
        OperandKind.LITERAL,
        OperandKind.PARAMETER,
        OperandKind.CONSTANT,
        OperandKind.RUN_TIME,
    ):
        return None
    text = code[operand.at.begin : operand.at.end]
    base = _base_day(text)
    shift = _shift(text)
    if base is None or shift is None:
        return None
    return _Day(base.day + shift, base.run)


def _base_day(text: str) -> _Day | None:
    """Return the first day that `text` names, before functions shift it."""
    if scheduled := find_day(text):
        return _Day(scheduled.approximate_days, run=True)
    if found := _DATE.search(text):
        try:
            return _Day(date(int(found[1]), int(found[2]), int(found[3])).toordinal(), run=False)
        except ValueError:
            return None
    return _Day(0, run=True) if _NOW.search(text) else None


def _shift(text: str) -> int | None:
    """Return by how many days the functions in `text` shift a date; None if unknown."""
    total = 0
    for found in _SHIFT.finditer(text):
        sign = -1 if found["name"].lower() == "date_sub" else 1
        unit = (found["unit"] or ("mm" if found["name"].lower() == "add_months" else "dd")).lower()
        if unit not in _UNITS:
            return None
        total += sign * int(found["number"]) * _UNITS[unit]
    calls = len(_SHIFTS.findall(text))
    return total if calls == len(_SHIFT.findall(text)) else None


_MONTH, _YEAR = 30, 365
_UNITS = {
    "dd": 1,
    "day": 1,
    "days": 1,
    "mm": _MONTH,
    "mon": _MONTH,
    "month": _MONTH,
    "yyyy": _YEAR,
    "year": _YEAR,
}
_DATE = re.compile(r"\b(\d{4})-?(\d\d)-?(\d\d)\b")
_NOW = re.compile(r"\b(?:getdate|now|current_date|current_timestamp|sysdate)\b", re.IGNORECASE)
_SHIFTS = re.compile(
    r"(?<!\[)(?<!\{)\b(?:dateadd|date_add|date_sub|add_months)\s*\(|\b(?:interval|trunc|last_day)\b",
    re.IGNORECASE,
)
_SHIFT = re.compile(
    r"(?<!\[)(?<!\{)\b(?P<name>dateadd|date_add|date_sub|add_months)\s*\("
    r"(?:[^()]|\((?:[^()]|\([^()]*\))*\))*?,\s*(?P<number>-?\d+)\s*(?:,\s*['\"](?P<unit>\w+)['\"]\s*)?\)",
    re.IGNORECASE,
)
