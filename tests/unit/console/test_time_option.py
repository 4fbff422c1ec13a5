import time
from datetime import UTC, datetime

import pytest
import typer

from console import time_option


@pytest.mark.parametrize(
    ("text", "seconds"), [("45s", 45), ("30m", 1800), ("2h", 7200), ("7d", 604800), ("1w", 604800), ("0s", 0)]
)
def test_age(text: str, seconds: int) -> None:
    before = time.time()
    assert before - seconds <= time_option.parse_time(text) <= time.time() - seconds


@pytest.mark.parametrize("text", ["2026-11-22T08:00:00Z", "2026-11-22T16:00:00+08:00"])
def test_a_date_with_its_zone(text: str) -> None:
    assert time_option.parse_time(text) == datetime(2026, 11, 22, 8, tzinfo=UTC).timestamp()


def test_a_date_without_a_zone_is_local() -> None:
    assert time_option.parse_time("2026-11-22") == datetime(2026, 11, 22).timestamp()  # noqa: DTZ001 - local is meant


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "7 d", "1y", "yesterday", "2026-13-01", "9999999d"])
def test_anything_else_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="neither an age"):
        time_option.parse_time(text)


def test_the_option_is_rejected_with_the_same_message() -> None:
    with pytest.raises(typer.BadParameter, match="'foo' is neither an age"):
        time_option.time_option("foo")
