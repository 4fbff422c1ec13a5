"""What becomes of one request: refused, ignored, rejected, or durable; the order of the steps matters."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from redis import RedisError

from common.errors import DwgateError
from common.events import Event
from common.ledger import Ledger
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
"""The longest that keeping a malformed body may take."""

READY_SECONDS = 1.0
RETRY_AFTER = {"retry-after": "2"}

_THREADS = 4
_UNAUTHENTICATED_REASONS = (Reason.MISSING_HEADER, Reason.BAD_VERSION, Reason.CLOCK, Reason.TOKEN)
"""Reasons that anyone can cause: not worth a log line each, the metrics count them."""

_log = structlog.get_logger()


class Unavailable(DwgateError):
    """Something that ingest needs is away: answer 503, keep nothing, the sender tries again."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.value)
        self.cause = cause

    def __reduce__(self) -> tuple[type[Unavailable], tuple[Cause]]:
        return type(self), (self.cause,)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The HTTP answer: status code, JSON content, extra headers."""

    code: int
    content: dict[str, Any]
    headers: dict[str, str] | None = None


class Receiver:
    """Takes requests in.

    Args:
        trust: what a request is measured by.
        publisher: makes events durable.
        certificates: where keys come from.
        ledger: keeps malformed bodies.
        metrics: counts.
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

    def authenticate_headers(self, headers: Iterable[tuple[str, str]]) -> SignedHeaders | HttpAnswer:
        """Look at the headers only: what fails here costs neither memory nor RSA."""
        try:
            return check_headers(headers, self._trust, self._clock())
        except AuthenticationFailed as error:
            return self._reject_request(error.reason)

    async def handle_body(self, claim: SignedHeaders, body: bytes) -> HttpAnswer:
        """Take a body in, and say what became of it."""
        try:
            status, message_id = await self._process(claim, body)
        except AuthenticationFailed as error:
            return self._reject_request(error.reason)
        except Unavailable as error:
            self._metrics.unavailable[error.cause].inc()
            return HttpAnswer(503, {"status": "unavailable", "reason": error.cause.value}, RETRY_AFTER)
        self._metrics.events[status].inc()
        return HttpAnswer(200, {"status": status.value, "message_id": message_id})

    async def ready(self) -> dict[str, bool]:
        """Return which of the engines answer."""
        broker, redis = await asyncio.gather(self._publisher.ready(), self._redis_ready())
        return {"broker": broker, "redis": redis}

    def close(self) -> None:
        """Start no more threads; one that hangs is left to its socket's time limit."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _process(self, claim: SignedHeaders, body: bytes) -> tuple[Status, str | None]:
        verify_signature(claim, body, self._trust, await self._key(claim.certificate_url))
        try:
            event = self._read(body)
        except MalformedEnvelope as error:
            await self._reject(body, str(error))
            return Status.REJECTED, None
        if isinstance(event, Ignored):
            return Status.IGNORED, event.message_id
        return await self._publish(event), event.message_id

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

    async def _publish(self, event: Event) -> Status:
        try:
            fresh = await self._deduplicator.publish_once(
                event.message_id, lambda: self._batcher.publish(event)
            )
        except PublishFailed as error:
            _log.warning("not_durable", message_id=event.message_id, reason=str(error))
            raise Unavailable(Cause.BROKER) from None
        return Status.QUEUED if fresh else Status.DUPLICATE

    async def _reject(self, body: bytes, reason: str) -> None:
        try:
            async with asyncio.timeout(REJECT_SECONDS):
                await self._run_in_thread(self._ledger.reject, body, reason)
        except (RedisError, OSError) as error:
            _log.warning("reject_not_kept", error=type(error).__name__)
            raise Unavailable(Cause.REDIS) from None
        _log.warning("rejected", why=reason)

    async def _redis_ready(self) -> bool:
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._run_in_thread(self._ledger.client.ping)
        except (RedisError, OSError):
            return False
        return True

    async def _run_in_thread(self, call: Callable[..., object], *args: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)

    def _reject_request(self, reason: Reason) -> HttpAnswer:
        self._metrics.rejected[reason].inc()
        if reason not in _UNAUTHENTICATED_REASONS:
            _log.warning("refused", reason=reason.value)
        return HttpAnswer(401, {"status": "refused", "reason": reason.value})
