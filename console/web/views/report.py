"""The report: daily counters as totals, tables and bars. Pure functions."""

from __future__ import annotations

import csv
import io
from collections import Counter as Numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from common.ledger import State
from common.ledger.daily_counts import Count, Counter, DailyCount, Dimension
from common.verdicts import Result
from console.web.views.event_filters import WOULD_BLOCK

MAX_ROWS = 50
"""Rows of a table; the CSV has all."""

BAR_WIDTH = 220.0
CHART_WIDTH, CHART_HEIGHT = 720.0, 120.0
_RESULTS = (Count.BLOCKED, Count.WARNED, Count.PASSED)

CSV_COLUMNS = ("day", "workspace", "dimension", "value", "mode", "count", "number")


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a bar, in units of the drawing.

    Attributes:
        kind: ending of its class.
        x: its left edge.
        width: its width.
        y: its top; what only warned is half as high.
        height: its height.
    """

    kind: str
    x: float
    width: float
    y: float = 0.0
    height: float = 14.0


@dataclass(frozen=True, slots=True)
class Group:
    """The numbers of one workspace, check, rule or person.

    Attributes:
        name: its value.
        mode: the modes of the check, separated by commas; empty for others.
        numbers: number by what came of it.
        bars: the numbers of blocked, would be blocked and warned as bars.
    """

    name: str
    mode: str
    numbers: Numbers[Count]
    bars: tuple[Bar, ...] = ()

    @property
    def events(self) -> int:
        """The number of events, checks or hits: each has one result."""
        return sum(self.numbers[count] for count in _RESULTS)

    @property
    def blocked(self) -> int:
        """Blocked."""
        return self.numbers[Count.BLOCKED]

    @property
    def would_block(self) -> int:
        """Not blocked only because of the mode."""
        return self.numbers[Count.WOULD_BLOCK]

    @property
    def warned(self) -> int:
        """Warned; those that would have been blocked are not counted again."""
        return self.numbers[Count.WARNED]

    @property
    def waived(self) -> int:
        """With findings of which all are waived or suppressed."""
        return self.numbers[Count.WAIVED]

    @property
    def unfinished(self) -> int:
        """Checks without a complete answer."""
        return self.numbers[Count.UNFINISHED]


@dataclass(frozen=True, slots=True)
class Day:
    """The events of one day, and their bars in the chart."""

    day: date
    numbers: Numbers[Count]
    bars: tuple[Bar, ...]

    @property
    def events(self) -> int:
        """The number of events."""
        return sum(self.numbers[count] for count in _RESULTS)


@dataclass(frozen=True, slots=True)
class Report:
    """All of a report.

    Attributes:
        first: the first day.
        last: the last day.
        total: the numbers of all events.
        waived: hits of rules of which all findings are waived.
        unfinished: checks without a complete answer.
        days: each day.
        most: the largest number of events of a day.
        workspaces, points, checks, rules, people: the tables, of at most MAX_ROWS rows.
        omitted: rows that a table does not have, by its name.
        others: counts without a name, since a day had too many.
        known_since: the first day with any count; None without one.
    """

    first: date
    last: date
    total: Group
    waived: int
    unfinished: int
    days: Sequence[Day]
    most: int
    workspaces: Sequence[Group]
    points: Sequence[Group]
    checks: Sequence[Group]
    rules: Sequence[Group]
    people: Sequence[Group]
    omitted: dict[str, int]
    others: int
    known_since: date | None


_VERDICTS = {
    Count.BLOCKED: Result.FAIL.value,
    Count.WARNED: Result.WARN.value,
    Count.PASSED: Result.OK.value,
    Count.WOULD_BLOCK: WOULD_BLOCK,
}
"""The filter for the events of a count; those of any other count are found by the check or rule alone."""


@dataclass(frozen=True, slots=True)
class EventsBehind:
    """Leads from the numbers of a report to the list of their events.

    Attributes:
        first: first day of the report.
        last: its last day.
        project: the workspace of the report, as given; empty for all.
    """

    first: date
    last: date
    project: str = ""

    def address(self, count: str = "", **filters: str) -> str:
        """Return the address of the list of events that a number counts.

        Args:
            count: the `Count`; empty for all answered events.
            filters: further filters of the list: `project`, `point`, `check`, `rule`, `person`.
        """
        return self._address(self.first, self.last, count, filters)

    def of_day(self, day: date, count: str = "") -> str:
        """Return the same for one day."""
        return self._address(day, day, count, {})

    def _address(self, first: date, last: date, count: str, filters: Mapping[str, str]) -> str:
        verdict = _VERDICTS.get(Count(count)) if count else None
        # Events that were answered: only these are counted.
        given = {
            "since": first.isoformat(),
            "until": (last + timedelta(days=1)).isoformat(),
            "project": self.project,
            "state": "" if verdict else State.REPORTED.value,
            "verdict": verdict,
            **filters,
        }
        return "/events?" + urlencode({name: value for name, value in given.items() if value})


def build_report(counts: Sequence[DailyCount], first: date, last: date) -> Report:
    """Return the report of a period.

    Args:
        counts: its counters.
        first: its first day.
        last: its last day.
    """
    of = {
        dimension: [item for item in counts if item.counter.dimension is dimension] for dimension in Dimension
    }
    points, checks, rules = of[Dimension.POINT], of[Dimension.CHECK], of[Dimension.RULE]
    tables = {
        "workspaces": _by_size(_groups(points, lambda counter: str(counter.project_id or ""))),
        "points": _by_size(_groups(points, _value)),
        "checks": _by_size(_groups(checks, _value)),
        "rules": _by_size(_groups(rules, _value)),
        "people": sorted(_groups(of[Dimension.PERSON], _value), key=lambda group: group.name),
    }
    total = Group("", "", _sum(points))
    by_day = {day: _sum(item for item in points if item.day == day) for day in _days(first, last)}
    most = max((sum(numbers[count] for count in _RESULTS) for numbers in by_day.values()), default=0)
    days = [
        Day(day, numbers, _day_bars(number, len(by_day), numbers, most))
        for number, (day, numbers) in enumerate(by_day.items())
    ]
    return Report(
        first,
        last,
        total,
        _sum(rules)[Count.WAIVED],
        _sum(checks)[Count.UNFINISHED],
        days,
        most,
        **{name: groups[:MAX_ROWS] for name, groups in tables.items()},
        omitted={name: max(len(groups) - MAX_ROWS, 0) for name, groups in tables.items()},
        others=sum(item.number for item in of[Dimension.OTHERS]),
        known_since=min((item.day for item in counts), default=None),
    )


def to_csv(counts: Iterable[DailyCount]) -> str:
    """Return counters as CSV (RFC 4180); texts that a spreadsheet would take for a formula are quoted."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    for item in counts:
        counter = item.counter
        writer.writerow(
            (
                item.day.isoformat(),
                counter.project_id or "",
                counter.dimension.value,
                _plain(counter.value),
                counter.mode.value if counter.mode else "",
                counter.count.value,
                item.number,
            )
        )
    return out.getvalue()


def _plain(text: str) -> str:
    return f"'{text}" if text[:1] in "=+-@\t\r" and text != "-" else text


def _value(counter: Counter) -> str:
    return counter.value


def _sum(counts: Iterable[DailyCount]) -> Numbers[Count]:
    numbers: Numbers[Count] = Numbers()
    for item in counts:
        numbers[item.counter.count] += item.number
    return numbers


def _groups(counts: Iterable[DailyCount], name: Callable[[Counter], str]) -> list[Group]:
    by_name: dict[str, list[DailyCount]] = {}
    for item in counts:
        by_name.setdefault(name(item.counter), []).append(item)
    found = []
    for value, items in by_name.items():
        modes = sorted({item.counter.mode.value for item in items if item.counter.mode})
        found.append(Group(value, ", ".join(modes), _sum(items)))
    most = max((_marked(group.numbers) for group in found), default=0)
    return [Group(group.name, group.mode, group.numbers, _bars(group.numbers, most)) for group in found]


def _by_size(groups: list[Group]) -> list[Group]:
    return sorted(groups, key=lambda group: (-group.blocked - group.would_block, -group.events, group.name))


def _parts(numbers: Numbers[Count]) -> list[tuple[str, int]]:
    return [
        ("block", numbers[Count.BLOCKED]),
        ("would", numbers[Count.WOULD_BLOCK]),
        ("warn", numbers[Count.WARNED]),
    ]


def _marked(numbers: Numbers[Count]) -> int:
    return sum(number for _, number in _parts(numbers))


def _bars(numbers: Numbers[Count], most: int) -> tuple[Bar, ...]:
    bars, x = [], 0.0
    for kind, number in _parts(numbers):
        width = round(BAR_WIDTH * number / most, 1) if most else 0.0
        if width:
            flat = kind == "warn"
            bars.append(Bar(kind, round(x, 1), width, 4.0 if flat else 0.0, 7.0 if flat else 14.0))
            x += width
    return tuple(bars)


def _day_bars(number: int, days: int, numbers: Numbers[Count], most: int) -> tuple[Bar, ...]:
    """Return the bars of a day, one on the other: blocked, would be blocked, all others."""
    step = CHART_WIDTH / max(days, 1)
    rest = max(
        sum(numbers[count] for count in _RESULTS) - numbers[Count.BLOCKED] - numbers[Count.WOULD_BLOCK], 0
    )
    parts = (("block", numbers[Count.BLOCKED]), ("would", numbers[Count.WOULD_BLOCK]), ("rest", rest))
    bars, top = [], CHART_HEIGHT
    for kind, count in parts:
        height = round(CHART_HEIGHT * count / most, 1) if most else 0.0
        if height:
            top -= height
            width = round(max(step - 2, 1.0), 1)
            bars.append(Bar(kind, round(number * step, 1), width, round(max(top, 0.0), 1), height))
    return tuple(bars)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
