"""An OTLP receiver over HTTP: it keeps the spans that processes export."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class ReceivedSpan:
    """A span as it was exported; times are seconds since the epoch."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    start: float
    end: float
    attributes: dict[str, str | int | bool | float]
    links: tuple[str, ...]

    @property
    def is_failed(self) -> bool:
        """Whether it ended with an exception."""
        return "error.type" in self.attributes


@dataclass
class OtlpReceiver:
    """The received spans.

    Attributes:
        url: of the receiver, for `OTEL_EXPORTER_OTLP_ENDPOINT`.
        content: everything that was received, as bytes.
    """

    url: str = ""
    spans: list[ReceivedSpan] = field(default_factory=list)
    content: bytes = b""

    def trace_of(self, message_id: str, run: int = 1) -> list[ReceivedSpan]:
        """Return the spans of the trace of an event's run, in the order of their start."""
        ids = {
            span.trace_id
            for span in list(self.spans)
            if span.attributes.get("dwgate.message_id") == message_id
            and span.attributes.get("dwgate.run", 1) == run
        }
        return sorted(
            (span for span in list(self.spans) if span.trace_id in ids), key=lambda span: span.start
        )

    def receive(self, body: bytes) -> None:
        """Keep the spans of a request."""
        self.content += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(
                item.value.string_value for item in resource.resource.attributes if item.key == "service.name"
            )
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.append(
                        ReceivedSpan(
                            span.trace_id.hex(),
                            span.span_id.hex(),
                            span.parent_span_id.hex(),
                            service,
                            span.name,
                            span.start_time_unix_nano / 1e9,
                            span.end_time_unix_nano / 1e9,
                            {
                                item.key: getattr(item.value, str(item.value.WhichOneof("value")))
                                for item in span.attributes
                            },
                            tuple(link.trace_id.hex() for link in span.links),
                        )
                    )


@contextmanager
def receiving() -> Iterator[OtlpReceiver]:
    """Run a receiver on a free port."""
    receiver = OtlpReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.receive(
                gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
            )
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def covered_share(spans: list[ReceivedSpan], last: str, seconds: float) -> float:
    """Return the share of `seconds` in which one of `spans` was open, until the end of the span `last`.

    It does not depend on the difference between the clocks of the caller and of the processes, which each
    measure that of Redis: on a busy machine with an error of milliseconds.

    Args:
        spans: the spans of a trace.
        last: name of the span in which the verdict is posted.
        seconds: from the POST to the verdict, measured outside.
    """
    end = max(span.end for span in spans if span.name == last)
    covered, until = 0.0, min(span.start for span in spans)
    for span in sorted(spans, key=lambda span: span.start):
        first, stop = max(span.start, until), min(span.end, end)
        if stop > first:
            covered += stop - first
            until = stop
    return min(covered / seconds, 1.0)
