"""Ports: what other packages need of an engine, without naming the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class ResultCache(Protocol):
    """Results that the whole fleet shares, by operation and arguments. It never fails: a fault is a miss."""

    def get(self, operation: str, arguments: Mapping[str, str | int]) -> Any:
        """Return the plain JSON that was put, or None."""

    def put(self, operation: str, arguments: Mapping[str, str | int], value: Any) -> None:
        """Keep `value`, plain JSON and not None, for some time."""
