"""Faults on demand: what may go wrong between dwgate and DataWorks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from common.errors import DwgateError


class FaultKind(StrEnum):
    """What goes wrong, and whether the operation takes effect."""

    THROTTLE = "throttle"
    """429 Throttling.Api; no effect."""
    ERROR = "error"
    """The given status and code; no effect."""
    HTML = "html"
    """A 502 page of a load balancer; no effect."""
    RESET = "reset"
    """The connection is cut; no effect."""
    LOST = "lost"
    """The operation takes effect, then the connection is cut without an answer."""
    DELAY = "delay"
    """Some seconds pass, then the operation takes effect and is answered."""
    HANG = "hang"
    """The operation takes effect at once, the answer comes after some seconds."""
    BUSINESS = "business"
    """200 with `Success: false` and the given code; no effect."""
    ENDLESS = "endless"
    """A list in pages never ends: always one more page, with rows that were told before."""
    CHANGING = "changing"
    """Rows come in while a list is read in pages: the last row of a page is the first of the next, too."""


class FaultError(DwgateError, ValueError):
    """A fault cannot be set; the text says which field is wrong and what it wants."""


@dataclass(slots=True)
class Fault:
    """One fault.

    Attributes:
        kind: what goes wrong.
        action: the operation it hits; None for all.
        message_id: the event it hits; None for all.
        times: how often it still strikes; None for ever.
        status: HTTP status of `error`.
        code: error code of `error` and `business`.
        seconds: how long `delay` and `hang` last.
    """

    kind: FaultKind
    action: str | None = None
    message_id: str | None = None
    times: int | None = 1
    status: int = 500
    code: str = "InternalError.System"
    seconds: float = 1.0

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Fault:
        """Read a fault.

        Raises:
            FaultError: a field is unknown, or the kind is none of `FaultKind`.
        """
        if unknown := raw.keys() - {field.name for field in fields(cls)}:
            raise FaultError(f"fault: unknown fields {', '.join(sorted(unknown))}")
        try:
            kind = FaultKind(raw.get("kind", ""))
        except ValueError:
            raise FaultError(f"fault: kind must be one of {', '.join(FaultKind)}") from None
        return cls(**{**raw, "kind": kind})

    def hits(self, action: str, message_id: str | None) -> bool:
        """Whether it strikes a call of `action` about `message_id`."""
        return self.action in {None, action} and self.message_id in {None, message_id} and self.times != 0


class Faults:
    """The faults set at present, in the order they were set."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Set a fault."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Take all faults away."""
        self._faults.clear()

    def take(self, action: str, message_id: str | None) -> Fault | None:
        """Return the first fault that strikes this call, counted down, or None."""
        for fault in self._faults:
            if fault.hits(action, message_id):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None
