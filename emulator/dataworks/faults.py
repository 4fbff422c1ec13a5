"""Faults that can be injected between dwgate and DataWorks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from common.errors import DwgateError


class FaultKind(StrEnum):
    """The kind of fault, and whether the operation takes effect."""

    THROTTLE = "throttle"
    """429 Throttling.Api; no effect."""
    ERROR = "error"
    """The given status and code; no effect."""
    HTML = "html"
    """A 502 page of a load balancer; no effect."""
    RESET = "reset"
    """The connection is aborted; no effect."""
    LOST = "lost"
    """The operation takes effect, then the connection is aborted without a response."""
    DELAY = "delay"
    """After a delay, the operation takes effect and is answered."""
    HANG = "hang"
    """The operation takes effect at once and is answered after a delay."""
    DRIP = "drip"
    """A response of one byte a second that does not end; no effect."""
    FLOOD = "flood"
    """A response that does not end, as fast as the connection takes it; no effect."""
    BUSINESS = "business"
    """200 with `Success: false` and the given code; no effect."""
    ENDLESS = "endless"
    """A paged list never ends: there is always another page, with rows already returned."""
    CHANGING = "changing"
    """Rows are inserted while a paged list is read: the last row of a page is also the first of the next."""


class FaultError(DwgateError, ValueError):
    """A fault is invalid; the message names the field and what is expected."""


@dataclass(slots=True)
class Fault:
    """One fault.

    Attributes:
        kind: the kind of fault.
        action: the operation it affects; None for all.
        message_id: the event it affects; None for all.
        event_code: the extension point it affects, of operations with this parameter; None for all.
        times: number of calls it still affects; None for no limit.
        status: HTTP status of `error`.
        code: error code of `error` and `business`.
        seconds: duration of `delay` and `hang`.
    """

    kind: FaultKind
    action: str | None = None
    message_id: str | None = None
    event_code: str | None = None
    times: int | None = 1
    status: int = 500
    code: str = "InternalError.System"
    seconds: float = 1.0

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Fault:
        """Read a fault.

        Raises:
            FaultError: a field or the kind is unknown.
        """
        if unknown := raw.keys() - {field.name for field in fields(cls)}:
            raise FaultError(f"fault: unknown fields {', '.join(sorted(unknown))}")
        try:
            kind = FaultKind(raw.get("kind", ""))
        except ValueError:
            raise FaultError(f"fault: kind: expected one of {', '.join(FaultKind)}") from None
        return cls(**{**raw, "kind": kind})

    def hits(self, action: str, message_id: str | None, event_code: str | None) -> bool:
        """Whether it affects a call of `action` about an event, or about an extension point."""
        limits = ((self.action, action), (self.message_id, message_id), (self.event_code, event_code))
        return self.times != 0 and all(limit in {None, value} for limit, value in limits)


class Faults:
    """The active faults, in the order in which they were added."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Add a fault."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Remove all faults."""
        self._faults.clear()

    def take(self, action: str, message_id: str | None, event_code: str | None = None) -> Fault | None:
        """Return the first fault that affects this call, and count it down; None without one."""
        for fault in self._faults:
            if fault.hits(action, message_id, event_code):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None
