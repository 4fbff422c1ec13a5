"""Filters of the list of events: from an address to a query and back."""

from __future__ import annotations

import pytest

from common.ledger import Cursor, EventQuery, State
from common.verdicts import Result
from console.web.errors import RequestRefused
from console.web.pages.login_pages import local_address
from console.web.views.event_filters import parse_filters
from console.web.views.times import parse_moment

NOW = 1_780_000_000.0


def test_each_parameter_sets_its_filter_and_others_are_ignored() -> None:
    filters = parse_filters(
        {
            "state": "open",
            "verdict": "FAIL",
            "project": "93124",
            "point": "commit-file",
            "check": "code-review",
            "rule": "MC-P01",
            "person": "lin",
            "q": " dws_trade ",
            "since": "24h",
            "before": "1780000000000.m-1",
            "unknown": "x",
            "until": "",
        },
        NOW,
    )
    assert filters.query == EventQuery(
        states=(State.RECEIVED, State.CHECKING, State.DECIDED),
        results=(Result.FAIL,),
        projects=(93124,),
        points=("commit-file",),
        check="code-review",
        rule="MC-P01",
        operator="lin",
        name="dws_trade",
        since=NOW - 86400,
    )
    assert filters.before == Cursor(1_780_000_000_000, "m-1")
    assert "unknown" not in filters.values


def test_an_address_without_one_filter_keeps_the_others() -> None:
    filters = parse_filters({"state": "dead", "q": "a&b"}, NOW)
    assert filters.without_each == {"state": "?q=a%26b", "q": "?state=dead"}
    assert filters.address_of(Cursor(5, "m/1")) == "?state=dead&q=a%26b&before=5.m%2F1"


@pytest.mark.parametrize(
    "values",
    [
        {"project": "٣"},
        {"project": "0"},
        {"project": "9" * 30},
        {"q": "x" * 201},
        {"before": "x.m"},
        {"until": "1w"},
    ],
)
def test_a_bad_value_names_its_parameter(values: dict[str, str]) -> None:
    [name] = values
    with pytest.raises(RequestRefused) as raised:
        parse_filters(values, NOW)
    assert raised.value.detail.startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1h", NOW - 3600),
        ("7d", NOW - 7 * 86400),
        ("2026-05-29", 1_779_984_000.0),
        ("2026-05-29T10:30", 1_780_021_800.0),
    ],
)
def test_a_moment_is_in_the_zone_of_the_pages(text: str, expected: float) -> None:
    assert parse_moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["2026-13-01", "2026-05-29T25:00", "now", "-1d"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_moment(text, NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/events?state=dead", "/events?state=dead"),
        ("", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("events", "/"),
    ],
)
def test_a_login_leads_to_an_address_of_the_console_only(text: str, expected: str) -> None:
    assert local_address(text) == expected
