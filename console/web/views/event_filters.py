"""The filters of the list of events: from the address to a query, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlencode

from common.extension_points import BY_CODE
from common.ledger import Cursor, EventQuery, State
from common.verdicts import Result
from console.web.errors import Problem, RequestRefused
from console.web.views.times import parse_moment

WOULD_BLOCK = "would-block"
OPEN = "open"
"""Value of `state` for every event that has not ended."""

MAX_TEXT_LENGTH = 200

FIELDS = ("state", "verdict", "project", "point", "check", "rule", "person", "q", "since", "until")
"""Names of the parameters, in the order of the form."""

_OPEN_STATES = (State.RECEIVED, State.CHECKING, State.DECIDED)
_MAX_PROJECT = 2**53

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class EventFilters:
    """The filters of one request.

    Attributes:
        query: what to find.
        before: where the page starts; None for the newest events.
        values: the given parameters by name, as they were given.
    """

    query: EventQuery
    before: Cursor | None
    values: Mapping[str, str]

    @property
    def without_each(self) -> Mapping[str, str]:
        """The address without each of the filters, by the filter's name."""
        return {
            name: "?" + urlencode({other: value for other, value in self.values.items() if other != name})
            for name in self.values
        }

    def address_of(self, before: Cursor | None) -> str:
        """Return the address of another page of the same search."""
        return "?" + urlencode({**self.values, **({"before": str(before)} if before else {})})


def parse_filters(parameters: Mapping[str, str], now: float) -> EventFilters:
    """Return the filters of an address; unknown parameters and empty ones are ignored.

    Args:
        parameters: of the address.
        now: seconds since the epoch.

    Raises:
        RequestRefused: a value is invalid; the detail names its parameter.
    """
    given = {name: value for name in FIELDS if (value := parameters.get(name, "").strip())}
    query = EventQuery()
    for name, value in given.items():
        query = _with(query, name, value, now)
    before = parameters.get("before") or None
    cursor = _parsed("before", before, Cursor.parse) if before else None
    return EventFilters(query, cursor, given)


def parse_project(name: str, value: str) -> int | None:
    """Return the workspace that a parameter names; None if it is empty.

    Raises:
        RequestRefused: it is not the number of one.
    """
    return _parsed(name, value, _project) if value else None


def _with(query: EventQuery, name: str, value: str, now: float) -> EventQuery:
    match name:
        case "since" | "until":
            found: dict[str, Any] = {name: _parsed(name, value, lambda text: parse_moment(text, now))}
        case "verdict" if value == WOULD_BLOCK:
            found = {"would_fail": True}
        case "state" | "verdict" | "project" | "point":
            field, parse = _CHOICES[name]
            found = {field: _parsed(name, value, parse)}
        case _:
            found = {_TEXT_FIELDS.get(name, name): _parsed(name, value, _text)}
    return replace(query, **found)


def _parsed(name: str, value: str, parse: Callable[[str], Parsed]) -> Parsed:
    try:
        return parse(value)
    except ValueError as error:
        raise RequestRefused(Problem.INVALID, f"{name}: {error}") from None


def _states(text: str) -> tuple[State, ...]:
    if text == OPEN:
        return _OPEN_STATES
    return (State(_one_of(text, [*State])),)


def _results(text: str) -> tuple[Result, ...]:
    return (Result(_one_of(text, [*Result, WOULD_BLOCK])),)


def _points(text: str) -> tuple[str, ...]:
    return (_one_of(text, sorted(BY_CODE)),)


def _projects(text: str) -> tuple[int, ...]:
    return (_project(text),)


def _one_of(text: str, known: list[str]) -> str:
    if text not in known:
        raise ValueError(f"expected one of {', '.join(known)}")
    return text


def _project(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:20]) < _MAX_PROJECT):
        raise ValueError("expected the number of a workspace")
    return int(text)


def _text(text: str) -> str:
    if len(text) > MAX_TEXT_LENGTH:
        raise ValueError(f"expected at most {MAX_TEXT_LENGTH} characters")
    return text


_CHOICES: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "state": ("states", _states),
    "verdict": ("results", _results),
    "project": ("projects", _projects),
    "point": ("points", _points),
}
"""The field of the query of each parameter with a limited set of values, and what reads it."""

_TEXT_FIELDS = {"person": "operator", "q": "name"}
"""The field of the query of each parameter that is a text, if its name is another."""
