from __future__ import annotations

from datetime import datetime

import pytest

from workers.checks.cron import format_time, parse_cron

FRIDAY_AT_TEN = datetime(2026, 11, 20, 10, 0)  # noqa: DTZ001 - the clock of the schedule's own zone
LAST_DAY_AT_TEN = datetime(2026, 11, 30, 10, 0)  # noqa: DTZ001 - as above


@pytest.mark.parametrize(
    ("cron", "first", "last", "runs"),
    [
        ("00 30 00 * * ?", "00:30", "00:30", 1),
        ("00 00 00-23/1 * * ?", "00:00", "23:00", 24),
        ("0 */30 8-9 * * ?", "08:00", "09:30", 4),
        ("00 05 02,14 * * ? 2026", "02:05", "14:05", 2),
        ("00 00 4/8 ? * 1,2", "04:00", "20:00", 3),
        ("0 0/5 8-18/2 * * ?", "08:00", "18:55", 72),
        ("0 5,10-12 0 * * ?", "00:05", "00:12", 4),
        ("* * * * * ?", "00:00", "23:59", 1440),
        ("0 0 22-2 * * ?", "00:00", "23:00", 5),
        ("0 59-0 7 * * ?", "07:00", "07:59", 2),
        ("0 0 6 ? * 2#1", "06:00", "06:00", 1),
        ("0 0 6 ? * L", "06:00", "06:00", 1),
        ("0 0 6 L JAN-MAR ?", "06:00", "06:00", 1),
    ],
)
def test_when_a_schedule_runs_in_a_day(cron: str, first: str, last: str, runs: int) -> None:
    found = parse_cron(cron)
    assert found
    assert (format_time(found.first), format_time(found.last), len(found.times)) == (first, last, runs)


@pytest.mark.parametrize(
    "cron",
    [
        "0 0 ? * * ?",
        "0 ? 0 * * ?",
        "0 0 24 * * ?",
        "00 30 25 * * ?",
        "00 60 00 * * ?",
        "0 7/0 0 * * ?",
        "00 0/0 5 * * ?",
        "00 x/0 00 * * ?",
        "0 0 0 32 * ?",
        "0 0 0 1 13 ?",
        "0 0 0 LW * ?",
        "0 R R * * ?",
        "0 H 0 * * ?",
        "0 0 0 * *",
        "0 0 0 * * ? 2026 9",
        "0 ٣ 0 * * ?",
        "0 " + "0," * 200 + "0 0 * * ?",
        "@daily",
        "soon",
        "",
        None,
    ],
)
def test_invalid_expressions(cron: str | None) -> None:
    assert parse_cron(cron) is None


@pytest.mark.parametrize(
    ("cron", "count"),
    [
        ("00 30 00 * * ?", 1),
        ("00 30 10 * * ?", 0),
        ("00 00 10 * * ?", 1),
        ("00 00 00-23/1 * * ?", 11),
        ("00 */5 00-23 * * ?", 121),
        ("00 0/30 9,11 * * ?", 2),
        ("00 00 00 1 * ?", 0),
        ("00 00 00 1,20 * ?", 1),
        ("00 00 00 ? * 2", 1),
        ("00 00 00 * 12 ?", 0),
        ("00 00 00 * NOV ?", 1),
        ("00 00 00 L * ?", 0),
        ("00 00 5-1 * * ?", 8),
    ],
)
def test_how_many_runs_of_today_are_due_by_ten(cron: str, count: int) -> None:
    runs = parse_cron(cron)
    assert runs
    assert runs.count_until(FRIDAY_AT_TEN) == count


def test_the_last_day_of_a_month_is_known() -> None:
    runs = parse_cron("00 00 00 L * ?")
    assert runs
    assert runs.count_until(LAST_DAY_AT_TEN) == 1
