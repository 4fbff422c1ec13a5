"""Traces of events: one trace per run of an event, from its POST to its verdict.

An event carries the context of its trace (`Event.traceparent`), so that the trace continues wherever the
event is read from: a message, a parked copy, the ledger. Without `DWGATE_TRACE_RATIO` no event has a trace,
nothing of OpenTelemetry is imported, and each function here returns at once.

    with tracing.event_scope(record.event, record.run), tracing.span("intake") as span:
        span.set(outcome="planned")

Attributes are codes, names of checks and results. Node code, secrets and names of persons are never set.
"""

from common.tracing.context import TraceContext
from common.tracing.spans import (
    Attribute,
    Kind,
    Span,
    configure,
    continue_trace,
    current_trace_id,
    current_traceparent,
    event_attributes,
    event_scope,
    is_traced,
    record_requeue,
    record_span,
    shut_down,
    span,
    start_trace,
)

__all__ = [
    "Attribute",
    "Kind",
    "Span",
    "TraceContext",
    "configure",
    "continue_trace",
    "current_trace_id",
    "current_traceparent",
    "event_attributes",
    "event_scope",
    "is_traced",
    "record_requeue",
    "record_span",
    "shut_down",
    "span",
    "start_trace",
]
