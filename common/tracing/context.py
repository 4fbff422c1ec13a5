"""The context of a trace, and its form in messages: `traceparent` of W3C Trace Context. Pure.

Source: W3C Recommendation "Trace Context", section 3.2.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from common.events import Event  # it holds the traceparent, which it validates with this module

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_SAMPLED = 1
_TRACE_BYTES, _SPAN_BYTES = 16, 8


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A span of a sampled trace, under which further spans are recorded.

    Attributes:
        trace_id: the trace: 128 bits, not 0.
        span_id: the span: 64 bits, not 0.
    """

    trace_id: int
    span_id: int

    @classmethod
    def parse(cls, traceparent: object) -> TraceContext | None:
        """Return the context of a sampled trace; None for everything else, as the recommendation says."""
        match = _TRACEPARENT.fullmatch(traceparent) if isinstance(traceparent, str) else None
        if match is None or not int(match[3], 16) & _SAMPLED:
            return None
        context = cls(int(match[1], 16), int(match[2], 16))
        return context if context.trace_id and context.span_id else None

    @classmethod
    def of_run(cls, event: Event, run: int) -> TraceContext | None:
        """Return the context of a run of an event; None if the event has no trace.

        A requeue starts a new trace. Its ids follow from those of the event, so that every process finds them
        without a further field in messages or in the ledger.
        """
        first = cls.parse(event.traceparent)
        if first is None or run <= 1:
            return first
        digest = hashlib.sha256(f"{first.traceparent} run {run}".encode()).digest()
        trace, span = digest[:_TRACE_BYTES], digest[_TRACE_BYTES : _TRACE_BYTES + _SPAN_BYTES]
        return cls(int.from_bytes(trace) or 1, int.from_bytes(span) or 1)

    @property
    def traceparent(self) -> str:
        """The context as text."""
        return f"00-{self.trace_text}-{self.span_id:016x}-01"

    @property
    def trace_text(self) -> str:
        """The id of the trace as 32 hexadecimal digits, as logs and backends show it."""
        return f"{self.trace_id:032x}"
