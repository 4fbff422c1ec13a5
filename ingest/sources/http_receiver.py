"""Authenticates a request and answers what became of its event. The order of the steps matters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from ingest.certificates import Certificates, CertificateUnavailable
from ingest.metrics import Cause, Metrics
from ingest.receiver import Origin, Receiver, Unavailable
from ingest.signature import (
    AuthenticationFailed,
    Reason,
    SignedHeaders,
    TrustPolicy,
    check_headers,
    verify_signature,
)

ORIGIN = Origin("POST /events", "server")
RETRY_AFTER = {"retry-after": "2"}

_UNAUTHENTICATED_REASONS = (Reason.MISSING_HEADER, Reason.BAD_VERSION, Reason.CLOCK, Reason.TOKEN)
"""Reasons that any sender can cause: they are counted in the metrics only, not logged."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP response: status code, JSON content, additional headers."""

    code: int
    content: dict[str, Any]
    headers: dict[str, str] | None = None


class HttpReceiver:
    """Processes requests.

    Args:
        trust: which requests are authentic.
        receiver: processes the bodies of those that are.
        certificates: provides EventBridge's keys.
        metrics: the metrics to update.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        trust: TrustPolicy,
        receiver: Receiver,
        *,
        certificates: Certificates,
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        self._trust = trust
        self._receiver = receiver
        self._certificates = certificates
        self._metrics = metrics
        self._clock = clock

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
            verify_signature(signed, body, self._trust, await self._key(signed.certificate_url))
            receipt = await self._receiver.receive(body, arrived_at)
        except AuthenticationFailed as error:
            return self._reject_request(error.reason)
        except Unavailable as error:
            return HttpAnswer(503, {"status": "unavailable", "reason": error.cause.value}, RETRY_AFTER)
        return HttpAnswer(200, {"status": receipt.status.value, "message_id": receipt.message_id})

    async def _key(self, url: str) -> RSAPublicKey:
        try:
            return await self._certificates.key(url)
        except CertificateUnavailable as error:
            _log.warning("certificate_unavailable", error=str(error))
            self._metrics.unavailable[Cause.CERTIFICATE].inc()
            raise Unavailable(Cause.CERTIFICATE) from None

    def _reject_request(self, reason: Reason) -> HttpAnswer:
        self._metrics.rejected[reason].inc()
        if reason not in _UNAUTHENTICATED_REASONS:
            _log.warning("request_refused", reason=reason.value)
        return HttpAnswer(401, {"status": "refused", "reason": reason.value})
