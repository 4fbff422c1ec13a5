"""Processes one request: authenticates it, parses the event, publishes it. The order of the steps matters."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from redis import RedisError

from common import clock as fleet_clock
from common import tracing
from common.errors import DwgateError
from common.events import Event
from common.ledger import Ledger
from common.ledger.redis_faults import classify
from common.ledger.write_probe import find_write_refusal
from common.text.printable import printable
from ingest.batching import EventBatcher
from ingest.certificates import Certificates, CertificateUnavailable
from ingest.deduplication import PublishDeduplicator
from ingest.envelope import Ignored, MalformedEnvelope, read_envelope
from ingest.metrics import Cause, Metrics, Status
from ingest.publishers.base import Publisher, PublishFailed
from ingest.signature import (
    AuthenticationFailed,
    Reason,
    SignedHeaders,
    TrustPolicy,
    check_headers,
    verify_signature,
)

REJECT_SECONDS = 2.0
"""Maximum seconds to store a malformed body."""

READY_SECONDS = 1.0
MAX_LOGGED_TYPE = 100
"""Characters of the type of an unknown event that are logged."""

RETRY_AFTER = {"retry-after": "2"}

_THREADS = 4
_UNAUTHENTICATED_REASONS = (Reason.MISSING_HEADER, Reason.BAD_VERSION, Reason.CLOCK, Reason.TOKEN)
"""Reasons that any sender can cause: they are counted in the metrics only, not logged."""

T = TypeVar("T")

_log = structlog.get_logger()


class Unavailable(DwgateError):
    """A dependency of ingest is unavailable: answer 503, store nothing; the sender retries."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.value)
        self.cause = cause

    def __reduce__(self) -> tuple[type[Unavailable], tuple[Cause]]:
        return type(self), (self.cause,)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP response: status code, JSON content, additional headers."""

    code: int
    content: dict[str, Any]
    headers: dict[str, str] | None = None


class Receiver:
    """Processes requests.

    Args:
        trust: which requests are authentic.
        publisher: publishes events durably.
        certificates: provides EventBridge's keys.
        ledger: stores malformed bodies.
        metrics: the metrics to update.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        trust: TrustPolicy,
        *,
        publisher: Publisher,
        certificates: Certificates,
        ledger: Ledger,
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        self._trust = trust
        self._publisher = publisher
        self._certificates = certificates
        self._ledger = ledger
        self._metrics = metrics
        self._clock = clock
        self._batcher = EventBatcher(publisher, metrics.publish_seconds.observe)
        self._deduplicator = PublishDeduplicator()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="ledger")
        self._skew = fleet_clock.SkewReport()
        self._is_clock_measured = True
        self._readiness: asyncio.Task[dict[str, bool]] | None = None

    def authenticate_headers(self, headers: Iterable[tuple[str, str]]) -> SignedHeaders | HttpAnswer:
        """Check the headers only: a request that fails here costs neither memory nor an RSA operation."""
        try:
            return check_headers(headers, self._trust, self._clock())
        except AuthenticationFailed as error:
            return self._reject_request(error.reason)

    async def handle_body(self, signed: SignedHeaders, body: bytes) -> HttpAnswer:
        """Process a body and return the response."""
        arrived_at = self._clock()
        try:
            status, message_id = await self._process(signed, body, arrived_at)
        except AuthenticationFailed as error:
            return self._reject_request(error.reason)
        except Unavailable as error:
            self._metrics.unavailable[error.cause].inc()
            return HttpAnswer(503, {"status": "unavailable", "reason": error.cause.value}, RETRY_AFTER)
        self._metrics.events[status].inc()
        return HttpAnswer(200, {"status": status.value, "message_id": message_id})

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

    async def _query_engines(self) -> dict[str, bool]:
        try:
            broker, redis = await asyncio.gather(self._publisher.ready(), self._redis_ready())
        finally:
            self._readiness = None
        return {"broker": broker, "redis": redis}

    def close(self) -> None:
        """Stop accepting work for threads; a blocked thread ends with its socket's timeout."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _process(
        self, signed: SignedHeaders, body: bytes, arrived_at: float
    ) -> tuple[Status, str | None]:
        verify_signature(signed, body, self._trust, await self._key(signed.certificate_url))
        try:
            event = self._read(body)
        except MalformedEnvelope as error:
            await self._reject(body, str(error))
            return Status.REJECTED, None
        if isinstance(event, Ignored):
            self._note_ignored(event)
            return Status.IGNORED, event.message_id
        # Only what is authentic starts a trace; it includes the time that it took to find that out.
        with tracing.start_trace(
            "POST /events", "server", started_at=arrived_at, **tracing.event_attributes(event)
        ) as span:
            if span.traceparent is not None:
                event = replace(event, traceparent=span.traceparent)
            status = await self._publish(event)
            span.set(status=status.value)
        return status, event.message_id

    async def _key(self, url: str) -> RSAPublicKey:
        try:
            return await self._certificates.key(url)
        except CertificateUnavailable as error:
            _log.warning("certificate_unavailable", error=str(error))
            raise Unavailable(Cause.CERTIFICATE) from None

    def _read(self, body: bytes) -> Event | Ignored:
        envelope = read_envelope(body)
        if envelope.account is None:
            raise MalformedEnvelope("aliyunaccountid is missing")
        if envelope.account not in self._trust.accounts:
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
            raise Unavailable(Cause.BROKER) from None
        return Status.QUEUED if fresh else Status.DUPLICATE

    async def _reject(self, body: bytes, reason: str) -> None:
        try:
            async with asyncio.timeout(REJECT_SECONDS):
                await self._run_in_thread(self._ledger.reject, body, reason)
        except (RedisError, OSError) as error:
            _log.warning("reject_store_failed", error=type(error).__name__)
            raise Unavailable(Cause.REDIS) from None
        _log.warning("message_rejected", reason=reason)

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

    def _reject_request(self, reason: Reason) -> HttpAnswer:
        self._metrics.rejected[reason].inc()
        if reason not in _UNAUTHENTICATED_REASONS:
            _log.warning("request_refused", reason=reason.value)
        return HttpAnswer(401, {"status": "refused", "reason": reason.value})
