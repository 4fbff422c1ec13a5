"""The report: totals, tables and bars of daily counters."""

from __future__ import annotations

from datetime import date, timedelta

from common.ledger.daily_counts import Count, Counter, DailyCount, Dimension
from common.plan import Mode
from console.web.views.report import BAR_WIDTH, CHART_HEIGHT, MAX_ROWS, build_report, to_csv

LAST = date(2026, 11, 29)
FIRST = LAST - timedelta(days=6)


def count(
    number: int,
    result: Count,
    *,
    dimension: Dimension = Dimension.POINT,
    value: str = "commit-file",
    project: int | None = 7,
    mode: Mode | None = None,
    day: date = LAST,
) -> DailyCount:
    return DailyCount(day, Counter(project, dimension, value, mode, result), number)


def test_the_totals_are_those_of_events_not_of_checks() -> None:
    counts = [
        count(6, Count.PASSED),
        count(3, Count.BLOCKED, day=FIRST),
        count(2, Count.WOULD_BLOCK, project=8),
        count(2, Count.PASSED, project=8),
        count(9, Count.BLOCKED, dimension=Dimension.CHECK, value="code-review", mode=Mode.ENFORCE),
        count(1, Count.UNFINISHED, dimension=Dimension.CHECK, value="code-review", mode=Mode.AUDIT),
        count(4, Count.WAIVED, dimension=Dimension.RULE, value="MC-P01", mode=Mode.ENFORCE),
    ]
    report = build_report(counts, FIRST, LAST)

    assert (report.total.events, report.total.blocked, report.total.would_block) == (11, 3, 2)
    assert (report.waived, report.unfinished, report.known_since) == (4, 1, FIRST)
    assert [(group.name, group.events) for group in report.workspaces] == [("7", 9), ("8", 2)]
    assert report.checks[0].mode == "audit, enforce"
    assert [day.events for day in report.days] == [3, 0, 0, 0, 0, 0, 8]


def test_bars_are_as_wide_as_their_numbers_and_never_wider_than_the_drawing() -> None:
    report = build_report(
        [count(3, Count.BLOCKED), count(1, Count.WARNED), count(2, Count.WARNED, project=8)], FIRST, LAST
    )

    widest, other = report.workspaces
    assert [(bar.kind, bar.x, bar.width) for bar in widest.bars] == [
        ("block", 0.0, BAR_WIDTH * 3 / 4),
        ("warn", BAR_WIDTH * 3 / 4, BAR_WIDTH / 4),
    ]
    assert [(bar.kind, bar.width) for bar in other.bars] == [("warn", BAR_WIDTH / 2)]
    assert sum(bar.height for bar in report.days[-1].bars) == CHART_HEIGHT


def test_an_empty_report_has_no_bars() -> None:
    report = build_report([], FIRST, LAST)
    assert (report.total.events, report.most, report.known_since) == (0, 0, None)
    assert all(not day.bars for day in report.days)


def test_people_are_in_order_of_names_and_long_tables_are_cut() -> None:
    people = [
        count(number, Count.PASSED, dimension=Dimension.PERSON, value=f"u-{number:03}")
        for number in range(MAX_ROWS + 3, 0, -1)
    ]
    report = build_report(people, FIRST, LAST)
    assert [group.name for group in report.people[:2]] == ["u-001", "u-002"]
    assert report.omitted["people"] == 3


def test_the_csv_starts_no_formula() -> None:
    text = to_csv([count(1, Count.PASSED, dimension=Dimension.PERSON, value="=cmd|' /C calc'!A0")])
    assert text.splitlines()[1].startswith("2026-11-29,7,person,'=cmd")


def test_a_counter_is_read_back_and_a_newer_one_is_ignored() -> None:
    counter = Counter(7, Dimension.RULE, "a\tb", Mode.WARN, Count.BLOCKED)
    read = Counter.parse(str(counter))
    assert read == Counter(7, Dimension.RULE, "a b", Mode.WARN, Count.BLOCKED)
    assert Counter.parse("7\tplanet\tx\t-\tblocked") is None
    assert Counter.parse("nonsense") is None
