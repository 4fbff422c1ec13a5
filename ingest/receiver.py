"""Processes the body of one event from whichever source: parses it and publishes the event durably."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import structlog
from redis import RedisError

from common import clock as fleet_clock
from common import tracing
from common.errors import DwgateError
from common.events import Event
from common.ledger import Ledger
from common.ledger.redis_faults import classify
from common.ledger.write_probe import find_write_refusal
from common.text.printable import printable
from common.tracing.spans import Kind
from ingest.batching import EventBatcher
from ingest.deduplication import PublishDeduplicator
from ingest.envelope import Ignored, MalformedEnvelope, read_envelope
from ingest.metrics import Cause, Metrics, Status
from ingest.publishers.base import Publisher, PublishFailed
from ingest.signature import AuthenticationFailed, Reason

REJECT_SECONDS = 2.0
"""Maximum seconds to store a malformed body."""

READY_SECONDS = 1.0
MAX_LOGGED_TYPE = 100
"""Characters of the type of an unknown event that are logged."""

_THREADS = 4

T = TypeVar("T")

_log = structlog.get_logger()


class Unavailable(DwgateError):
    """A dependency of ingest is unavailable: nothing is stored, the event must be delivered again."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.value)
        self.cause = cause

    def __reduce__(self) -> tuple[type[Unavailable], tuple[Cause]]:
        return type(self), (self.cause,)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a body: it is durable, or needs no answer.

    Attributes:
        status: the result.
        message_id: of the event; None if it has none, or could not be read.
    """

    status: Status
    message_id: str | None


@dataclass(frozen=True, slots=True)
class Origin:
    """The source of events, for traces.

    Attributes:
        name: of the first span of an event's trace.
        kind: of that span.
    """

    name: str
    kind: Kind


class Receiver:
    """Processes bodies of events.

    Args:
        accounts: UIDs of the accounts whose events are accepted.
        origin: the source of the events.
        publisher: publishes events durably.
        ledger: stores malformed bodies.
        metrics: the metrics to update.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        accounts: frozenset[str],
        origin: Origin,
        *,
        publisher: Publisher,
        ledger: Ledger,
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        self._accounts = accounts
        self._origin = origin
        self._publisher = publisher
        self._ledger = ledger
        self._metrics = metrics
        self._clock = clock
        self._batcher = EventBatcher(publisher, metrics.publish_seconds.observe)
        self._deduplicator = PublishDeduplicator()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="ledger")
        self._skew = fleet_clock.SkewReport()
        self._is_clock_measured = True
        self._readiness: asyncio.Task[dict[str, bool]] | None = None

    async def receive(self, body: bytes, arrived_at: float) -> Receipt:
        """Process the body of an event; it is durable, or in the reject list, when this returns.

        Args:
            body: as received.
            arrived_at: when, in seconds since the epoch.

        Raises:
            AuthenticationFailed: it is an event of another account; nothing is stored.
            Unavailable: broker or Redis is; nothing is stored, or it is and the confirm was lost.
        """
        try:
            event = self._read(body)
        except MalformedEnvelope as error:
            return await self.reject(body, str(error))
        if isinstance(event, Ignored):
            self._note_ignored(event)
            return self._count(Receipt(Status.IGNORED, event.message_id))
        # Only what is authentic starts a trace; it includes the time that it took to find that out.
        with tracing.start_trace(
            self._origin.name, self._origin.kind, started_at=arrived_at, **tracing.event_attributes(event)
        ) as span:
            if span.traceparent is not None:
                event = replace(event, traceparent=span.traceparent)
            status = await self._publish(event)
            span.set(status=status.value)
        return self._count(Receipt(status, event.message_id))

    async def reject(self, body: bytes, reason: str) -> Receipt:
        """Store a body that is no valid event, and that no further delivery could make valid.

        Raises:
            Unavailable: Redis is.
        """
        try:
            async with asyncio.timeout(REJECT_SECONDS):
                await self._run_in_thread(self._ledger.reject, body, reason)
        except (RedisError, OSError) as error:
            _log.warning("reject_store_failed", error=type(error).__name__)
            raise self._unavailable(Cause.REDIS) from None
        _log.warning("message_rejected", reason=reason)
        return self._count(Receipt(Status.REJECTED, None))

    async def ready(self) -> dict[str, bool]:
        """Return for each engine whether it responds; concurrent callers share one query."""
        if self._readiness is None:
            self._readiness = asyncio.create_task(self._query_engines())
        return await asyncio.shield(self._readiness)

    async def measure_clock(self) -> None:
        """Measure Redis' clock; while that is not possible, the last measurement applies."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._run_in_thread(fleet_clock.measure, self._ledger.client)
            self._is_clock_measured = True
        except (RedisError, OSError) as error:
            if self._is_clock_measured:  # one line per outage
                _log.warning("clock_not_measured", fault=classify(error).label)
            self._is_clock_measured = False
        self._metrics.clock_skew.set(self._skew.update())

    def close(self) -> None:
        """Stop accepting work for threads; a blocked thread ends with its socket's timeout."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _read(self, body: bytes) -> Event | Ignored:
        envelope = read_envelope(body)
        if envelope.account is None:
            raise MalformedEnvelope("aliyunaccountid is missing")
        if envelope.account not in self._accounts:
            raise AuthenticationFailed(Reason.ACCOUNT)
        return envelope.event(self._clock())

    def _note_ignored(self, event: Ignored) -> None:
        if event.is_awaited:
            self._metrics.unknown_points.inc()
            _log.error(
                "extension_point_unknown",
                message_id=event.message_id,
                event_type=printable(event.type[:MAX_LOGGED_TYPE]),
            )

    async def _publish(self, event: Event) -> Status:
        try:
            with tracing.span("publish", "producer"):
                fresh = await self._deduplicator.publish_once(
                    event.message_id, lambda: self._batcher.publish(event)
                )
        except PublishFailed as error:
            _log.warning("publish_failed", message_id=event.message_id, reason=str(error))
            raise self._unavailable(Cause.BROKER) from None
        return Status.QUEUED if fresh else Status.DUPLICATE

    def _count(self, receipt: Receipt) -> Receipt:
        self._metrics.events[receipt.status].inc()
        return receipt

    def _unavailable(self, cause: Cause) -> Unavailable:
        self._metrics.unavailable[cause].inc()
        return Unavailable(cause)

    async def _query_engines(self) -> dict[str, bool]:
        try:
            broker, redis = await asyncio.gather(self._publisher.ready(), self._redis_ready())
        finally:
            self._readiness = None
        return {"broker": broker, "redis": redis}

    async def _redis_ready(self) -> bool:
        try:
            async with asyncio.timeout(READY_SECONDS):
                ledger = self._ledger
                fault = await self._run_in_thread(find_write_refusal, ledger.client, ledger.key("rejects"))
        except (RedisError, OSError) as error:
            fault = classify(error)
        if fault:
            _log.warning("redis_not_ready", fault=fault.label)
        return fault is None

    async def _run_in_thread(self, call: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)
