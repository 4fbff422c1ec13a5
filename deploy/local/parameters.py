"""The parameters of one call, read with the gateway's own complaints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qsl

from deploy.local.replies import GatewayError

PAGE_SIZE_MOST = 100

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: `number` from 1, `size` rows."""

    number: int
    size: int

    def cut(self, rows: Sequence[T]) -> Sequence[T]:
        """Return the rows of this page."""
        start = (self.number - 1) * self.size
        return rows[start : start + self.size]


class Parameters:
    """Named text values, as a query string or a form body carries them (`+` is a space)."""

    __slots__ = ("_values",)

    def __init__(self, encoded: str) -> None:
        self._values = dict(parse_qsl(encoded, keep_blank_values=True))

    def optional(self, name: str) -> str | None:
        """Return a value, or None when it is absent or empty."""
        return self._values.get(name) or None

    def text(self, name: str) -> str:
        """Return a value.

        Raises:
            GatewayError: it is absent or empty (`Missing{name}`).
        """
        value = self._values.get(name)
        if not value:
            raise GatewayError(400, f"Missing{name}", f"{name} is mandatory for this action.")
        return value

    def integer(self, name: str) -> int:
        """Return a value as a number.

        Raises:
            GatewayError: it is absent, or no number (`Invalid{name}`).
        """
        return _integer(name, self.text(name))

    def choice(self, name: str, *allowed: str) -> str:
        """Return a value that must be one of `allowed`.

        Raises:
            GatewayError: it is absent, or another one (`Invalid{name}`).
        """
        value = self.text(name)
        if value not in allowed:
            raise GatewayError(400, f"Invalid{name}", f"{name} must be one of {', '.join(allowed)}.")
        return value

    def page(self, number_name: str = "PageNumber") -> Page:
        """Return the page asked for: by default the first, of ten rows; at most 100 rows.

        Raises:
            GatewayError: number or size is out of range.
        """
        number = self._within(number_name, 1, None)
        return Page(number, self._within("PageSize", 10, PAGE_SIZE_MOST))

    def _within(self, name: str, default: int, most: int | None) -> int:
        raw = self.optional(name)
        value = default if raw is None else _integer(name, raw)
        if value < 1 or (most is not None and value > most):
            raise GatewayError(400, f"Invalid{name}", f"{name} is out of range.")
        return value


def _integer(name: str, raw: str) -> int:
    try:
        return int(raw)
    except ValueError:
        raise GatewayError(400, f"Invalid{name}", f"{name} must be a number.") from None
