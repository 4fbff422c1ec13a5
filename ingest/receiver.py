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
from ingest.batching import Batches
from ingest.certificates import Certificates, CertificateUnavailable
from ingest.deduplication import Recent
from ingest.envelope import Ignored, Malformed, read
from ingest.metrics import Cause, Metrics, Status
from ingest.publishers.base import NotDurable, Publisher
from ingest.signature import Claim, NotAuthentic, Reason, Trust, precheck, verify

REJECT_SECONDS = 2.0
"""The longest that keeping a malformed body may take."""

READY_SECONDS = 1.0
RETRY_AFTER = {"retry-after": "2"}

_THREADS = 4
_STRANGERS = (Reason.MISSING_HEADER, Reason.BAD_VERSION, Reason.CLOCK, Reason.TOKEN)
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
class Answer:
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
        trust: Trust,
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
        self._batches = Batches(publisher, metrics.publish_seconds.observe)
        self._recent = Recent()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="ledger")

    def claim(self, headers: Iterable[tuple[str, str]]) -> Claim | Answer:
        """Look at the headers only: what fails here costs neither memory nor RSA."""
        try:
            return precheck(headers, self._trust, self._clock())
        except NotAuthentic as error:
            return self._refuse(error.reason)

    async def receive(self, claim: Claim, body: bytes) -> Answer:
        """Take a body in, and say what became of it."""
        try:
            status, message_id = await self._take(claim, body)
        except NotAuthentic as error:
            return self._refuse(error.reason)
        except Unavailable as error:
            self._metrics.unavailable[error.cause].inc()
            return Answer(503, {"status": "unavailable", "reason": error.cause.value}, RETRY_AFTER)
        self._metrics.events[status].inc()
        return Answer(200, {"status": status.value, "message_id": message_id})

    async def ready(self) -> dict[str, bool]:
        """Return which of the engines answer."""
        broker, redis = await asyncio.gather(self._publisher.ready(), self._redis_ready())
        return {"broker": broker, "redis": redis}

    def close(self) -> None:
        """Start no more threads; one that hangs is left to its socket's time limit."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _take(self, claim: Claim, body: bytes) -> tuple[Status, str | None]:
        verify(claim, body, self._trust, await self._key(claim.certificate_url))
        try:
            event = self._read(body)
        except Malformed as error:
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
        envelope = read(body)
        if envelope.account is None:
            raise Malformed("aliyunaccountid is missing")
        if envelope.account not in self._trust.accounts:
            raise NotAuthentic(Reason.ACCOUNT)
        return envelope.event(self._clock())

    async def _publish(self, event: Event) -> Status:
        try:
            fresh = await self._recent.once(event.message_id, lambda: self._batches.publish(event))
        except NotDurable as error:
            _log.warning("not_durable", message_id=event.message_id, reason=str(error))
            raise Unavailable(Cause.BROKER) from None
        return Status.QUEUED if fresh else Status.DUPLICATE

    async def _reject(self, body: bytes, why: str) -> None:
        try:
            async with asyncio.timeout(REJECT_SECONDS):
                await self._in_thread(self._ledger.reject, body, why)
        except (RedisError, OSError) as error:
            _log.warning("reject_not_kept", error=type(error).__name__)
            raise Unavailable(Cause.REDIS) from None
        _log.warning("rejected", why=why)

    async def _redis_ready(self) -> bool:
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._in_thread(self._ledger.client.ping)
        except (RedisError, OSError):
            return False
        return True

    async def _in_thread(self, call: Callable[..., object], *args: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)

    def _refuse(self, reason: Reason) -> Answer:
        self._metrics.refused[reason].inc()
        if reason not in _STRANGERS:
            _log.warning("refused", reason=reason.value)
        return Answer(401, {"status": "refused", "reason": reason.value})
