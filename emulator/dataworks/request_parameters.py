"""The parameters of one call, with the gateway's own errors for invalid values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qsl

from emulator.dataworks.faults import FaultKind
from emulator.dataworks.responses import GatewayError

MAX_PAGE_SIZE = 100
NEVER_REACHED = 1_000_000_000
"""The total that an endless list returns."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: `number` from 1, `size` rows from `start`; a fault makes it return wrong data."""

    number: int
    size: int
    start: int
    fault: FaultKind | None = None

    def rows_of_page(self, rows: Sequence[T]) -> Sequence[T]:
        """Return the rows of this page."""
        if self.fault is FaultKind.ENDLESS and rows:
            return [rows[place % len(rows)] for place in range(self.start, self.start + self.size)]
        return rows[self.start : self.start + self.size]

    def total(self, rows: Sequence[T]) -> int:
        """Return the total number of rows that the list claims."""
        return NEVER_REACHED if self.fault is FaultKind.ENDLESS else len(rows)

    def next_key(self, rows: Sequence[T]) -> str:
        """Return the key of the next page; empty for the last one."""
        end = self.start + self.size
        if self.fault is not FaultKind.ENDLESS and end >= len(rows):
            return ""
        return str(end - 1 if self.fault is FaultKind.CHANGING else end)


class Parameters:
    """Named text values of a query string or a form body (`+` is a space).

    Args:
        encoded: the values as sent.
        version: of the OpenAPI.

    Attributes:
        version: of the OpenAPI.
        fault: the fault of the pages that the call requests; None without one.
    """

    __slots__ = ("_values", "fault", "version")

    def __init__(self, encoded: str, version: str) -> None:
        self._values = dict(parse_qsl(encoded, keep_blank_values=True))
        self.version = version
        self.fault: FaultKind | None = None

    def optional(self, name: str) -> str | None:
        """Return a value, or None if it is missing or empty."""
        return self._values.get(name) or None

    def text(self, name: str) -> str:
        """Return a value.

        Raises:
            GatewayError: it is missing or empty (`Missing{name}`).
        """
        value = self._values.get(name)
        if not value:
            raise GatewayError(400, f"Missing{name}", f"{name} is mandatory for this action.")
        return value

    def integer(self, name: str) -> int:
        """Return a value as a number.

        Raises:
            GatewayError: it is missing or not a number (`Invalid{name}`).
        """
        return _integer(name, self.text(name))

    def choice(self, name: str, *allowed: str) -> str:
        """Return a value that must be one of `allowed`.

        Raises:
            GatewayError: it is missing or not allowed (`Invalid{name}`).
        """
        value = self.text(name)
        if value not in allowed:
            raise GatewayError(400, f"Invalid{name}", f"{name} must be one of {', '.join(allowed)}.")
        return value

    def page(self, number_name: str = "PageNumber") -> Page:
        """Return the requested page: by default the first, with ten rows; at most 100 rows.

        Raises:
            GatewayError: number or size is out of range.
        """
        number, size = self._within(number_name, 1, None), self._size()
        # A row inserted at the front while the list is read shifts all following rows to later offsets.
        moved = number - 1 if self.fault is FaultKind.CHANGING else 0
        return Page(number, size, (number - 1) * size - moved, self.fault)

    def page_at(self, key_name: str) -> Page:
        """Return the page of a key, by default the first; otherwise like `page`.

        DataWorks does not document the content of the key; here it is the offset in the list.

        Raises:
            GatewayError: the key was never returned, or the size is out of range.
        """
        size = self._size()
        start = 0 if self.optional(key_name) is None else self.integer(key_name)
        if start < 0:
            raise GatewayError(400, f"Invalid{key_name}", f"{key_name} was never returned.")
        return Page(start // size + 1, size, start, self.fault)

    def _size(self) -> int:
        return self._within("PageSize", 10, MAX_PAGE_SIZE)

    def _within(self, name: str, default: int, maximum: int | None) -> int:
        raw = self.optional(name)
        value = default if raw is None else _integer(name, raw)
        if value < 1 or (maximum is not None and value > maximum):
            raise GatewayError(400, f"Invalid{name}", f"{name} is out of range.")
        return value


def _integer(name: str, raw: str) -> int:
    try:
        return int(raw)
    except ValueError:
        raise GatewayError(400, f"Invalid{name}", f"{name} must be a number.") from None
