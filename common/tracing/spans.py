"""Spans of the current trace. Without one, or with tracing disabled, all of this does nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar, Token
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from common.tracing.context import TraceContext

if TYPE_CHECKING:
    from common.events import Event
    from common.tracing.recorder import Recorder

Attribute = str | int | bool | None
"""The value of an attribute; one that is None is left out."""

Kind = Literal["internal", "server", "client", "producer", "consumer"]

_current: ContextVar[TraceContext | None] = ContextVar("dwgate_trace", default=None)


class Span:
    """A span that records nothing."""

    __slots__ = ()

    @property
    def traceparent(self) -> str | None:
        """The span as the parent of spans in other processes; None if it is not recorded."""
        return None

    def set(self, **attributes: Attribute) -> None:
        """Set attributes; their names get the prefix `dwgate.`."""

    def __enter__(self) -> Self:
        """Make the span the parent of those that begin inside."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the span. Of an exception, only the type is recorded."""


_NO_SPAN = Span()


class _Tracing:
    """The state of this process: nothing while tracing is disabled."""

    ratio = 0.0
    recorder: Recorder | None = None


def configure(ratio: float, component: str) -> None:
    """Enable tracing in this process, and in those forked from it, if `ratio` is above 0.

    No thread is started and nothing is connected before the first span.

    Args:
        ratio: share of the events that get a trace, from 0 to 1.
        component: the component of this process, for the name of its service.

    Raises:
        TracingUnusable: an OTEL_… variable cannot be used.
    """
    _Tracing.ratio = ratio
    if ratio <= 0:
        _Tracing.recorder = None
        return
    # The SDK takes a fifth of a second to import.
    from common.tracing.recorder import Recorder  # noqa: PLC0415

    _Tracing.recorder = Recorder(component)


def shut_down() -> None:
    """Export what has been recorded, within a second or two; to be called when the process ends."""
    if _Tracing.recorder is not None:
        _Tracing.recorder.shut_down()


def start_trace(
    name: str, kind: Kind = "internal", *, started_at: float | None = None, **attributes: Attribute
) -> Span:
    """Start the trace of an event, or none: `DWGATE_TRACE_RATIO` of them are sampled.

    Args:
        name: name of its first span.
        kind: its kind.
        started_at: when it began, in seconds since the epoch; None for now.
        attributes: of the span.
    """
    recorder = _Tracing.recorder
    if recorder is None or random.random() >= _Tracing.ratio:  # noqa: S311 - a sample, no secret
        return _NO_SPAN
    return recorder.start(name, kind, None, started_at, attributes)


def span(name: str, kind: Kind = "internal", **attributes: Attribute) -> Span:
    """Start a span of the current trace; to be used in a `with` statement."""
    recorder, parent = _Tracing.recorder, _current.get()
    if recorder is None or parent is None:
        return _NO_SPAN
    return recorder.start(name, kind, parent, None, attributes)


def record_span(name: str, started_at: float, ended_at: float, **attributes: Attribute) -> None:
    """Record a span of the current trace that is over, such as a wait in a queue.

    Args:
        name: its name.
        started_at: in seconds since the epoch.
        ended_at: the same; an end before the start, by clocks that differ, counts as the start.
        attributes: of the span.
    """
    recorder, parent = _Tracing.recorder, _current.get()
    if recorder is not None and parent is not None:
        recorder.record(name, parent, started_at, max(started_at, ended_at), attributes)


def record_requeue(event: Event, run: int, started_at: float, ended_at: float) -> None:
    """Record the first span of the trace of a requeued event, with a link to the trace of its previous run.

    Args:
        event: the event.
        run: the new run.
        started_at: when it was requeued, in seconds since the epoch.
        ended_at: when a worker took it.
    """
    recorder, context = _Tracing.recorder, TraceContext.of_run(event, run)
    previous = TraceContext.of_run(event, run - 1)
    if recorder is not None and context is not None and previous is not None:
        attributes: dict[str, Attribute] = {"run": run, **event_attributes(event)}
        recorder.record_root("requeue", context, previous, started_at, max(started_at, ended_at), attributes)


def event_attributes(event: Event) -> dict[str, Attribute]:
    """Return the attributes that name an event."""
    return {"message_id": event.message_id, "event_code": event.event_code, "project_id": event.project_id}


def event_scope(event: Event, run: int) -> AbstractContextManager[None]:
    """Continue the trace of a run of an event, if it has one; inside the trace itself, change nothing."""
    if event.traceparent is None:
        return _leave_trace()
    return _scope(TraceContext.of_run(event, run))


def continue_trace(traceparent: str | None) -> AbstractContextManager[None]:
    """Continue the trace of a message, if it has one; text that is no traceparent counts as none."""
    return nullcontext() if traceparent is None else _scope(TraceContext.parse(traceparent))


def _leave_trace() -> AbstractContextManager[None]:
    return nullcontext() if _current.get() is None else _scope(None)


@contextmanager
def _scope(context: TraceContext | None) -> Iterator[None]:
    current = _current.get()
    if current is not None and context is not None and current.trace_id == context.trace_id:
        yield
        return
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)


def enter(context: TraceContext) -> Token[TraceContext | None]:
    """Make a span the current one; for the recorder."""
    return _current.set(context)


def leave(token: Token[TraceContext | None]) -> None:
    """Make the span before `enter` the current one again."""
    _current.reset(token)


def is_traced() -> bool:
    """Whether spans are recorded here: tracing is enabled, and there is a current trace."""
    return _Tracing.recorder is not None and _current.get() is not None


def current_traceparent() -> str | None:
    """Return the current span for a message; None without a trace."""
    current = _current.get()
    return None if current is None else current.traceparent


def current_trace_id() -> str | None:
    """Return the id of the current trace as text, for a line of the log; None without a trace."""
    current = _current.get()
    return None if current is None else current.trace_text
