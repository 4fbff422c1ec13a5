"""Ports: interfaces of engines for other packages, independent of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class ResultCache(Protocol):
    """Results by operation and arguments, shared by all workers. It never raises: a failure is a miss."""

    def get(self, operation: str, arguments: Mapping[str, str | int]) -> Any:
        """Return the stored plain JSON; None if missing."""

    def put(self, operation: str, arguments: Mapping[str, str | int], value: Any) -> None:
        """Store `value`, plain JSON and not None; the implementation limits how long."""
