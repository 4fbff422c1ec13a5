"""The EventBridge emulator: signed deliveries to an HTTP target, retried as EventBridge retries them.

The signature follows the help page "Signature algorithm": version 2, RSA over SHA-256.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, TypeVar

import httpx
import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from common.json_types import Json

CERTIFICATE_DAYS = 3650
KEY_FILE = "eventbridge-key.pem"
CERTIFICATE_FILE = "eventbridge-certificate.pem"
RETRIES = 3
"""Retries of BACKOFF_RETRY, the default policy (help page "Retry policies and dead-letter queues")."""
BACKOFF_SECONDS = (10.0, 20.0)
"""Range of the random wait before each retry."""
_HEADER = "x-eventbridge-"
_random = secrets.SystemRandom()


def certificate_url(region: str) -> str:
    """Return the URL of EventBridge's certificate in `region`."""
    return f"https://{region}-eventbridge.oss-accelerate.aliyuncs.com/x509_public_certificate_2021012501.pem"


@dataclass(frozen=True, slots=True)
class Signer:
    """A key pair in place of EventBridge's own, which is not available.

    Attributes:
        key: signs deliveries.
        certificate_pem: the certificate that a receiver pins instead of downloading it.
        region: the region in the certificate's URL.
    """

    key: rsa.RSAPrivateKey
    certificate_pem: bytes
    region: str = "cn-shanghai"

    @classmethod
    def generate(cls, region: str = "cn-shanghai") -> Signer:
        """Create a new RSA-2048 key and a self-signed certificate of it."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return cls(key, _certificate(key), region)

    @classmethod
    def load(cls, directory: Path, region: str = "cn-shanghai") -> Signer:
        """Read the files written by `save`.

        Raises:
            OSError: a file is missing.
            ValueError: a file contains no RSA key.
        """
        key = serialization.load_pem_private_key((directory / KEY_FILE).read_bytes(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError(f"{directory / KEY_FILE}: not an RSA key")  # noqa: TRY004 - the file is wrong
        return cls(key, (directory / CERTIFICATE_FILE).read_bytes(), region)

    def save(self, directory: Path) -> None:
        """Write key and certificate for use by other commands; only the owner may read the key."""
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = directory / KEY_FILE
        path.touch(mode=0o600)
        path.write_bytes(pem)
        (directory / CERTIFICATE_FILE).write_bytes(self.certificate_pem)

    def sign(
        self,
        target_url: str,
        body: bytes,
        now: float,
        token: str | None,
        *,
        trailing_newline: bool = False,
    ) -> dict[str, str]:
        """Return the headers of one delivery.

        Args:
            target_url: exactly as configured on the rule's target, since it is signed.
            body: the raw body.
            now: seconds since the epoch.
            token: the target's token, or None.
            trailing_newline: whether a line feed is signed after the body, which is not documented.
        """
        headers = _signed_headers(now, certificate_url(self.region), token)
        text = _string_to_sign(target_url, headers, body, newline=trailing_newline)
        signature = self.key.sign(text, padding.PKCS1v15(), hashes.SHA256())
        return {**headers, f"{_HEADER}signature-v2": base64.b64encode(signature).decode()}


def _signed_headers(now: float, url: str, token: str | None) -> dict[str, str]:
    # In the order in which they are signed.
    headers = {
        f"{_HEADER}signature-timestamp": str(int(now * 1000)),
        f"{_HEADER}hash-method": "SHA256",
        f"{_HEADER}signature-version": "1.0",
        f"{_HEADER}signature-url": url,
    }
    return headers if token is None else {**headers, f"{_HEADER}signature-token": token}


def _string_to_sign(target_url: str, headers: dict[str, str], body: bytes, *, newline: bool) -> bytes:
    lines = [target_url, *(f"{name}: {value}" for name, value in headers.items())]
    return "\n".join(lines).encode() + b"\n" + body + (b"\n" if newline else b"")


def _certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dwgate local EventBridge")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The outcome of a delivery to an HTTP target.

    Attributes:
        attempts: number of requests sent.
        status: the last HTTP status; None if there was no response.
        body: the last response's body, or empty.
    """

    attempts: int
    status: int | None
    body: str = ""

    @property
    def delivered(self) -> bool:
        """Whether the target accepted the event: any 2xx."""
        return self.status is not None and httpx.codes.is_success(self.status)


class AnyDelivery(Protocol):
    """The outcome of a delivery to a target of any type."""

    @property
    def delivered(self) -> bool:
        """Whether the target accepted the event."""


DeliveryT = TypeVar("DeliveryT", bound=AnyDelivery)


async def deliver_with_retries(
    attempt: Callable[[int], Awaitable[DeliveryT]], backoff_scale: float
) -> DeliveryT:
    """Try to deliver until the target accepts, at most four times; return the last outcome.

    Args:
        attempt: tries once; its argument is the number of the attempt, from 1.
        backoff_scale: factor on the waits between attempts.
    """
    delivery = await attempt(1)
    for number in range(2, RETRIES + 2):
        if delivery.delivered:
            break
        await asyncio.sleep(_random.uniform(*BACKOFF_SECONDS) * backoff_scale)
        delivery = await attempt(number)
    return delivery


class Sender:
    """Delivers events to one target; an asynchronous context manager.

    Args:
        target_url: the target; also the signed URL.
        token: the target's token, or None.
        signer: signs each attempt.
        backoff_scale: factor on the waits between attempts; 1 for EventBridge's own 10–20 s.
        timeout: seconds per attempt; EventBridge's own timeout is not published.
    """

    def __init__(
        self,
        *,
        target_url: str,
        token: str | None,
        signer: Signer,
        backoff_scale: float = 1.0,
        timeout: float = 3.0,
    ) -> None:
        self._target_url = target_url
        self._token = token
        self._signer = signer
        self._backoff_scale = backoff_scale
        # Requests to loopback targets must not go through a proxy set in the environment.
        self._client = httpx.AsyncClient(timeout=timeout, trust_env=False)

    async def __aenter__(self) -> Sender:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def send(self, event: Json) -> Delivery:
        """Deliver an event, with up to three retries until the target answers 2xx."""
        return await deliver_with_retries(partial(self._attempt, orjson.dumps(event)), self._backoff_scale)

    async def _attempt(self, body: bytes, attempt: int) -> Delivery:
        headers = self._signer.sign(self._target_url, body, time.time(), self._token)
        headers["content-type"] = "application/json; charset=utf-8"
        try:
            response = await self._client.post(self._target_url, content=body, headers=headers)
        except httpx.TransportError:
            return Delivery(attempt, None)
        return Delivery(attempt, response.status_code, response.text)
