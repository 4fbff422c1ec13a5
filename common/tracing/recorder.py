"""Records spans with OpenTelemetry's SDK and exports them by OTLP over HTTP. Imported only if tracing is on.

The exporter, the batches and the resource are configured by OpenTelemetry's own variables (`OTEL_…`). Times
are those of the fleet's clock, so that the spans of machines with different clocks fit together.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from common import clock
from common.errors import DwgateError
from common.processes.version import running_version
from common.tracing import spans
from common.tracing.context import TraceContext

SHUTDOWN_SECONDS = 2.0
"""Maximum seconds for the last export of a process that ends."""

FAULT_LOG_SECONDS = 60.0
"""Interval of log lines about spans that could not be exported."""

_PROTOCOL_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOL = "http/protobuf"
_KINDS: Mapping[spans.Kind, SpanKind] = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}

log = structlog.get_logger()

_chosen_ids: ContextVar[TraceContext | None] = ContextVar("dwgate_chosen_ids", default=None)


class TracingUnusable(DwgateError):
    """A variable of OpenTelemetry has a value with which nothing can be exported; the text names it."""


class Recorder:
    """Records the spans of this process.

    The SDK's threads and connections are created with the first span, and again in a forked process.

    Args:
        component: the component of this process; the service is `dwgate-COMPONENT` unless
            `OTEL_SERVICE_NAME` names it.

    Raises:
        TracingUnusable: an OTEL_… variable cannot be used.
    """

    def __init__(self, component: str) -> None:
        require_usable_environment()
        self._component = component
        self._lock = threading.Lock()
        self._pid = 0
        self._provider: TracerProvider | None = None
        self._tracer: trace.Tracer | None = None

    def start(
        self,
        name: str,
        kind: spans.Kind,
        parent: TraceContext | None,
        started_at: float | None,
        attributes: Mapping[str, spans.Attribute],
    ) -> spans.Span:
        """Start a span; without `parent` it starts a trace."""
        span = self._start(name, _KINDS[kind], parent, started_at, attributes)
        context = span.get_span_context()
        if not context.is_valid:  # OTEL_SDK_DISABLED
            return spans.Span()
        return _RecordedSpan(span, TraceContext(context.trace_id, context.span_id))

    def record(
        self,
        name: str,
        parent: TraceContext,
        started_at: float,
        ended_at: float,
        attributes: Mapping[str, spans.Attribute],
    ) -> None:
        """Record a span that is over. Times are seconds since the epoch."""
        span = self._start(name, SpanKind.INTERNAL, parent, started_at, attributes)
        span.end(_nanoseconds(ended_at))

    def record_root(
        self,
        name: str,
        context: TraceContext,
        linked: TraceContext,
        started_at: float,
        ended_at: float,
        attributes: Mapping[str, spans.Attribute],
    ) -> None:
        """Record the first span of a trace, which has the ids `context` and a link to another trace."""
        token = _chosen_ids.set(context)
        try:
            span = self._start(name, SpanKind.INTERNAL, None, started_at, attributes, linked)
        finally:
            _chosen_ids.reset(token)
        span.end(_nanoseconds(ended_at))

    def shut_down(self) -> None:
        """Export what has been recorded, at most SHUTDOWN_SECONDS."""
        provider = self._provider
        if provider is None or self._pid != os.getpid():
            return
        # The SDK would wait for a collector that does not respond.
        end = threading.Thread(target=provider.shutdown, daemon=True)
        end.start()
        end.join(SHUTDOWN_SECONDS)

    def _start(
        self,
        name: str,
        kind: SpanKind,
        parent: TraceContext | None,
        started_at: float | None,
        attributes: Mapping[str, spans.Attribute],
        linked: TraceContext | None = None,
    ) -> trace.Span:
        context = trace.set_span_in_context(
            trace.INVALID_SPAN if parent is None else NonRecordingSpan(_span_context(parent)),
        )
        return self._usable_tracer().start_span(
            name,
            context,
            kind,
            _with_prefix(attributes),
            [Link(_span_context(linked))] if linked else None,
            start_time=_nanoseconds(clock.now() if started_at is None else started_at),
        )

    def _usable_tracer(self) -> trace.Tracer:
        tracer = self._tracer
        if tracer is not None and self._pid == os.getpid():
            return tracer
        with self._lock:
            if self._tracer is None or self._pid != os.getpid():
                self._provider = self._create_provider()
                self._tracer = self._provider.get_tracer("dwgate")
                self._pid = os.getpid()
            return self._tracer

    def _create_provider(self) -> TracerProvider:
        named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": f"dwgate-{self._component}"}
        provider = TracerProvider(
            sampler=ALWAYS_ON,  # what is recorded was sampled with the event
            resource=Resource.create(
                {"service.namespace": "dwgate", "service.version": running_version(), **named}
            ),
            id_generator=_ChosenIds(),
            shutdown_on_exit=False,
        )
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        _report_faults_once()
        return provider


class _RecordedSpan(spans.Span):
    """A span that the SDK records.

    Args:
        span: the SDK's span.
        context: its ids.
    """

    __slots__ = ("_context", "_span", "_token")

    def __init__(self, span: trace.Span, context: TraceContext) -> None:
        self._span = span
        self._context = context
        self._token: Token[TraceContext | None] | None = None

    @property
    def traceparent(self) -> str | None:
        return self._context.traceparent

    def set(self, **attributes: spans.Attribute) -> None:
        self._span.set_attributes(_with_prefix(attributes))

    def __enter__(self) -> Self:
        self._token = spans.enter(self._context)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            spans.leave(self._token)
        if kind is not None:
            # Its text may contain a node's code.
            self._span.set_attribute("error.type", kind.__name__)
            self._span.set_status(Status(StatusCode.ERROR, kind.__name__))
        self._span.end(_nanoseconds(clock.now()))


class _ChosenIds(RandomIdGenerator):
    """Random ids, unless ids are chosen for the span that is started."""

    def generate_trace_id(self) -> int:
        chosen = _chosen_ids.get()
        return super().generate_trace_id() if chosen is None else chosen.trace_id

    def generate_span_id(self) -> int:
        chosen = _chosen_ids.get()
        return super().generate_span_id() if chosen is None else chosen.span_id


class _FaultHandler(logging.Handler):
    """Logs that spans are lost, one line in FAULT_LOG_SECONDS; the SDK's own text may contain a URL's key."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._quiet_until = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        if time.monotonic() < self._quiet_until:
            return
        self._quiet_until = time.monotonic() + FAULT_LOG_SECONDS
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        log.warning("trace_export_failed", at=record.name.rpartition(".")[2], error=error)


def require_usable_environment() -> None:
    """Check the variables of OpenTelemetry that select how spans are exported.

    Raises:
        TracingUnusable: one of them names a protocol or an endpoint that is not supported.
    """
    for name in _PROTOCOL_VARIABLES:
        if os.environ.get(name, "").strip() not in ("", _PROTOCOL):
            raise TracingUnusable(f"{name}: unsupported protocol; expected {_PROTOCOL}")
    for name in _ENDPOINT_VARIABLES:
        value = os.environ.get(name, "").strip()
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise TracingUnusable(f"{name}: not a URL of the form http://… or https://…")


def _report_faults_once() -> None:
    logger = logging.getLogger("opentelemetry")
    if not any(isinstance(handler, _FaultHandler) for handler in logger.handlers):
        logger.addHandler(_FaultHandler())
        logger.propagate = False


def _span_context(context: TraceContext) -> SpanContext:
    return SpanContext(
        context.trace_id, context.span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )


def _with_prefix(attributes: Mapping[str, spans.Attribute]) -> dict[str, str | int | bool]:
    return {f"dwgate.{name}": value for name, value in attributes.items() if value is not None}


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1_000_000_000)
