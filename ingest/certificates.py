"""EventBridge's public keys: from the certificate URL of a request, or from a pinned file.

Source: help page "Signature algorithm" of EventBridge. The hosts are OSS buckets, whose names anyone can
choose: a suffix match would accept an attacker's `evil-eventbridge`. So only the exact host of the configured
region is accepted: a DataWorks workspace, its bus and the rule on it are in one region.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from common import clock as fleet_clock
from common.errors import DwgateError

FETCH_SECONDS = 3.0
FRESH_SECONDS = 6 * 3600.0
"""Age at which a cached key is refreshed."""

RETRY_SECONDS = 60.0
"""Seconds for which a stale key is used after a failed refresh, before the next attempt."""

STALE_SECONDS = 7 * 86400.0
"""Maximum age of a key that cannot be refreshed."""

GONE = frozenset({httpx.codes.NOT_FOUND, httpx.codes.GONE})
"""Status codes by which the host says that it has withdrawn a certificate: its key is no longer used."""

MAX_CERTIFICATE_BYTES = 64 * 1024
MAX_CACHED_URLS = 32

_URL = re.compile(r"https://(?P<host>[a-z0-9.-]{1,253})(?P<path>(?:/[A-Za-z0-9_.-]{1,128}){1,8})")


class CertificateUnavailable(DwgateError):
    """No valid certificate is available now: answer 503, so that EventBridge retries."""


class CertificateWithdrawn(CertificateUnavailable):
    """The host no longer has the certificate: its key must not be used again."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key with the time in which it is valid, both in seconds since the epoch.

    Attributes:
        rsa: the key.
        valid_from: start; None for a bare key, which names no time.
        valid_until: end, likewise.
    """

    rsa: RSAPublicKey
    valid_from: float | None = None
    valid_until: float | None = None

    def invalid_reason(self, now: float) -> str | None:
        """Return why the key is not valid at `now` (seconds since the epoch); None if it is."""
        if self.valid_from is not None and now < self.valid_from:
            return f"not valid before {_date(self.valid_from)}"
        if self.valid_until is not None and now > self.valid_until:
            return f"expired on {_date(self.valid_until)}"
        return None


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


class Certificates(Protocol):
    """Provides the key for a certificate URL."""

    async def key(self, url: str) -> RSAPublicKey:
        """Return the key at `url`, which `is_certificate_url` must have accepted.

        Raises:
            CertificateUnavailable: the key is currently not available.
        """

    async def close(self) -> None:
        """Release all resources."""


def certificate_host(region: str) -> str:
    """Return the host of EventBridge's certificates in `region`."""
    return f"{region}-eventbridge.oss-accelerate.aliyuncs.com"


def is_certificate_url(url: str, host: str) -> bool:
    """Whether `url` is the address of a certificate on exactly `host`: https, a plain path."""
    match = _URL.fullmatch(url)
    if match is None or match["host"] != host:
        return False
    return not any(segment in (".", "..") for segment in match["path"].split("/"))


def read_key(pem: bytes) -> PublicKey:
    """Return the RSA key of a PEM: an X.509 certificate, or a bare public key.

    Raises:
        ValueError: it is neither of these, or the key is not RSA.
    """
    valid_from = valid_until = None
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key: object = certificate.public_key()
        valid_from = certificate.not_valid_before_utc.timestamp()
        valid_until = certificate.not_valid_after_utc.timestamp()
    except ValueError:
        key = load_pem_public_key(pem)
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 (a wrong file, not a wrong call)
    return PublicKey(key, valid_from, valid_until)


class PinnedCertificate:
    """One key for every certificate URL, for installations that cannot download it.

    The operator is responsible for a pinned key: its dates are reported by `dwgate doctor` and not enforced.

    Args:
        path: a PEM file.
    """

    def __init__(self, path: Path) -> None:
        self._key = read_key(path.read_bytes()).rsa

    async def key(self, url: str) -> RSAPublicKey:  # noqa: ARG002 (every URL has this key)
        """Return the pinned key."""
        return self._key

    async def close(self) -> None:
        """Do nothing: there are no resources to release."""


@dataclass(frozen=True, slots=True)
class _Cached:
    """A downloaded key: times are in seconds of the store's monotonic clock."""

    key: PublicKey
    fresh_until: float
    usable_until: float


class CertificateStore:
    """Keys by certificate URL, downloaded once and refreshed in the background.

    Args:
        transport: HTTP transport; None for the default.
        clock: monotonic seconds.
        wall_clock: seconds since the epoch.
    """

    def __init__(
        self,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = fleet_clock.now,
    ) -> None:
        self._client = httpx.AsyncClient(
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            timeout=FETCH_SECONDS,
            headers={"accept-encoding": "identity"},
        )
        self._clock = clock
        self._wall_clock = wall_clock
        self._entries: OrderedDict[str, _Cached] = OrderedDict()
        self._fetches: dict[str, asyncio.Task[PublicKey]] = {}

    async def key(self, url: str) -> RSAPublicKey:
        """Return the key of `url` from the cache (if stale, a refresh is started), else download it."""
        cached = self._usable(url)
        if cached is None:
            key = await asyncio.shield(self._fetch(url))
        else:
            self._entries.move_to_end(url)
            if self._clock() >= cached.fresh_until:
                self._fetch(url)
            key = cached.key
        if reason := key.invalid_reason(self._wall_clock()):
            raise CertificateUnavailable(f"{url}: {reason}")
        return key.rsa

    def _usable(self, url: str) -> _Cached | None:
        """Return the cached key of `url`; remove it and return None if it is too old or not valid."""
        cached = self._entries.get(url)
        if cached is None:
            return None
        if self._clock() < cached.usable_until and not cached.key.invalid_reason(self._wall_clock()):
            return cached
        del self._entries[url]
        return None

    async def close(self) -> None:
        """Cancel downloads and close connections."""
        fetches = list(self._fetches.values())
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)
        await self._client.aclose()

    def _fetch(self, url: str) -> asyncio.Task[PublicKey]:
        task = self._fetches.get(url)
        if task is None:
            if len(self._fetches) >= MAX_CACHED_URLS:
                raise CertificateUnavailable("too many concurrent downloads")
            task = asyncio.create_task(self._refresh(url))
            self._fetches[url] = task
            task.add_done_callback(lambda done: self._on_fetched(url, done))
        return task

    def _on_fetched(self, url: str, task: asyncio.Task[PublicKey]) -> None:
        del self._fetches[url]
        if not task.cancelled():
            task.exception()  # marks it as retrieved: nothing awaits a background refresh

    async def _refresh(self, url: str) -> PublicKey:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                key = read_key(await self._download(url))
        except CertificateWithdrawn:
            self._entries.pop(url, None)
            raise
        except (httpx.HTTPError, httpx.StreamError, OSError, ValueError) as error:
            stale = self._entries.get(url)
            if stale is None:
                raise CertificateUnavailable(f"{url}: {type(error).__name__}") from error
            self._cache(url, replace(stale, fresh_until=self._clock() + RETRY_SECONDS))
            return stale.key
        now = self._clock()
        self._cache(url, _Cached(key, now + FRESH_SECONDS, now + STALE_SECONDS))
        return key

    async def _download(self, url: str) -> bytes:
        async with self._client.stream("GET", url) as response:
            if response.status_code in GONE:
                raise CertificateWithdrawn(f"{url}: the host has withdrawn it")
            if response.status_code != httpx.codes.OK:
                raise ValueError(f"status {response.status_code}")
            pem = bytearray()
            async for chunk in response.aiter_raw():
                pem += chunk
                if len(pem) > MAX_CERTIFICATE_BYTES:
                    raise ValueError(f"longer than {MAX_CERTIFICATE_BYTES} bytes")
            return bytes(pem)

    def _cache(self, url: str, cached: _Cached) -> None:
        self._entries[url] = cached
        if len(self._entries) > MAX_CACHED_URLS:
            self._entries.popitem(last=False)
