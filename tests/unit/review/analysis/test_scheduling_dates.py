from __future__ import annotations

import pytest

from review.analysis.partition_slices import normalize
from review.analysis.scheduling_dates import ScheduledDay, find_day, resolve_day


@pytest.mark.parametrize(
    ("parameter", "day", "approximate"),
    [
        ("$bizdate", ScheduledDay(-1), -1),
        ("${bizdate}", ScheduledDay(-1), -1),
        ("${BIZDATE}", ScheduledDay(-1), -1),
        ("${bdp.system.bizdate}", ScheduledDay(-1), -1),
        ("${yyyymmdd}", ScheduledDay(-1), -1),
        ("${yyyymmdd-6}", ScheduledDay(-7), -7),
        ("${yyyy-mm-dd}", ScheduledDay(-1, separator="-"), -1),
        ("$[yyyymmdd]", ScheduledDay(0), 0),
        ("$[yyyymmdd-1]", ScheduledDay(-1), -1),
        ("$[yyyymmdd + 2]", ScheduledDay(2), 2),
        ("$[yyyy-mm-dd-30]", ScheduledDay(-30, separator="-"), -30),
        ("$[add_months(yyyymmdd,-1)]", ScheduledDay(0, -1), -30),
        ("$[add_months(yyyy-mm-dd, 2)]", ScheduledDay(0, 2, "-"), 60),
    ],
)
def test_the_day_of_a_scheduling_parameter(parameter: str, day: ScheduledDay, approximate: int) -> None:
    assert resolve_day(parameter) == day
    assert find_day(f"to_date('{parameter}', 'yyyymmdd')") == day
    assert day.approximate_days == approximate


@pytest.mark.parametrize(
    "parameter",
    [
        "${add_months(yyyymmdd,-1)}",
        "${yyyymm}",
        "$[yyyymmddhh24miss]",
        "$[yyyy-mmdd]",
        "$[hh24]",
        "$cyctime",
        "$bizdates",
        "${my_bizdate}",
        "20240501",
        "",
    ],
)
def test_what_is_no_day_of_a_run(parameter: str) -> None:
    assert resolve_day(parameter) is None
    assert find_day(parameter) is None


def test_only_a_whole_value_is_resolved() -> None:
    assert resolve_day("${yyyymmdd}00") is None
    assert find_day("${yyyymmdd}00") == ScheduledDay(-1)


def test_equal_days_look_alike() -> None:
    assert normalize("${bizdate}") == normalize("$[yyyymmdd-1]") == normalize("${BIZDATE}")
    assert normalize("$[add_months(yyyymmdd,-1)]") == normalize("$[add_months(yyyymmdd, -1)]")
    assert normalize("$[add_months(yyyymmdd,-1)]") != normalize("$[yyyymmdd-30]")
