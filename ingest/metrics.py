"""Metrics of ingest. Label values come from closed lists, so that senders cannot increase their number."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from common.processes.version import running_version
from ingest.http_protocol import Refusal
from ingest.signature import Reason

# Each counter and histogram would have a second series with the time of its creation.
disable_created_metrics()  # type: ignore[no-untyped-call]

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)


class Status(StrEnum):
    """Result of processing an authentic event."""

    QUEUED = "queued"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    REJECTED = "rejected"


class Cause(StrEnum):
    """The dependency that was unavailable."""

    BROKER = "broker"
    CERTIFICATE = "certificate"
    REDIS = "redis"


class Metrics:
    """The metrics of one ingest process, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        build = Gauge(
            "dwgate_ingest_build_info",
            "Always 1; the label is the version that runs.",
            ("version",),
            registry=self._registry,
        )
        build.labels(running_version()).set(1)
        events = self._counter("dwgate_ingest_events", "Authentic events by result.", "status")
        refused = self._counter(
            "dwgate_ingest_refused",
            "Requests answered 401, and messages of other accounts, by reason.",
            "reason",
        )
        unavailable = self._counter(
            "dwgate_ingest_unavailable",
            "Requests answered 503, and failed attempts at a queue's message, by unavailable dependency.",
            "cause",
        )
        limited = self._counter(
            "dwgate_ingest_limited", "Requests and connections that a limit of HTTP ended, by limit.", "limit"
        )
        self.unknown_points = Counter(
            "dwgate_ingest_unknown_points",
            "Ignored events for which an operation waits: unbind their extension point, or upgrade dwgate.",
            registry=self._registry,
        )
        self.events = {status: events.labels(status.value) for status in Status}
        self.rejected = {reason: refused.labels(reason.value) for reason in Reason}
        self.unavailable = {cause: unavailable.labels(cause.value) for cause in Cause}
        self._connections = Gauge(
            "dwgate_ingest_connections", "Open connections of senders.", registry=self._registry
        )
        self.clock_skew = Gauge(
            "dwgate_ingest_clock_skew_seconds",
            "Seconds by which this machine's clock is ahead of that of Redis.",
            registry=self._registry,
        )
        self._limited = {refusal: limited.labels(refusal.value) for refusal in Refusal}
        self.publish_seconds = Histogram(
            "dwgate_ingest_publish_seconds",
            "Seconds from publish to the broker's confirm.",
            buckets=_BUCKETS,
            registry=self._registry,
        )

    def count_refusal(self, refusal: Refusal) -> None:
        """Count a request or connection that a limit ended."""
        self._limited[refusal].inc()

    def watch_connections(self, count: Callable[[], int]) -> None:
        """Report the number of open connections, which `count` returns."""
        self._connections.set_function(count)

    def render(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, help_: str, label: str) -> Counter:
        return Counter(name, help_, (label,), registry=self._registry)


class QueueMetrics(Metrics):
    """The metrics of an ingest process that takes events from a queue.

    Args:
        now: seconds since the epoch.
    """

    def __init__(self, now: float) -> None:
        super().__init__()
        self._connected = Gauge(
            "dwgate_ingest_source_connected",
            "1 while messages of the source's queue are consumed, else 0.",
            registry=self._registry,
        )
        self.last_message = Gauge(
            "dwgate_ingest_source_last_message_timestamp_seconds",
            "When the last message arrived; before the first one, when the process started.",
            registry=self._registry,
        )
        self.last_message.set(now)
        self._unacknowledged = Gauge(
            "dwgate_ingest_source_unacknowledged",
            "Messages that are held unacknowledged, at most DWGATE_SOURCE_PREFETCH.",
            registry=self._registry,
        )
        self.redelivered = Counter(
            "dwgate_ingest_source_redelivered",
            "Messages that the source had delivered before, to this or another process.",
            registry=self._registry,
        )

    def watch_source(self, is_consuming: Callable[[], bool]) -> None:
        """Report whether messages are consumed, which `is_consuming` returns."""
        self._connected.set_function(is_consuming)

    def watch_unacknowledged(self, count: Callable[[], int]) -> None:
        """Report the number of unacknowledged messages, which `count` returns."""
        self._unacknowledged.set_function(count)
