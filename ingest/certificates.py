"""EventBridge's public keys: from the certificate URL of a request, or from a pinned file.

Source: help page "Signature algorithm" of EventBridge. The hosts are OSS buckets, whose names anyone can
choose: a suffix match would accept an attacker's `evil-eventbridge`, so only an exact list is accepted.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from common.errors import DwgateError
from common.settings import REGIONS

FETCH_SECONDS = 3.0
FRESH_SECONDS = 6 * 3600.0
"""Age at which a cached key is refreshed."""

RETRY_SECONDS = 60.0
"""Seconds for which a stale key is used after a failed refresh, before the next attempt."""

MAX_CERTIFICATE_BYTES = 64 * 1024
MAX_CACHED_URLS = 32

HOSTS = frozenset(f"{region}-eventbridge.oss-accelerate.aliyuncs.com" for region in REGIONS)
_URL = re.compile(r"https://(?P<host>[a-z0-9.-]{1,253})(?P<path>(?:/[A-Za-z0-9_.-]{1,128}){1,8})")


class CertificateUnavailable(DwgateError):
    """The certificate could not be downloaded: answer 503, so that EventBridge retries."""


class Certificates(Protocol):
    """Provides the key for a certificate URL."""

    async def key(self, url: str) -> RSAPublicKey:
        """Return the key at `url`, which `is_eventbridge_certificate_url` must have accepted.

        Raises:
            CertificateUnavailable: the key is currently not available.
        """

    async def close(self) -> None:
        """Release all resources."""


def is_eventbridge_certificate_url(url: str) -> bool:
    """Whether `url` is the address of an EventBridge certificate: https, a known host, a plain path."""
    match = _URL.fullmatch(url)
    if match is None or match["host"] not in HOSTS:
        return False
    return not any(segment in (".", "..") for segment in match["path"].split("/"))


def read_key(pem: bytes) -> RSAPublicKey:
    """Return the RSA key of a PEM: an X.509 certificate, or a bare public key.

    Raises:
        ValueError: it is neither of these, or the key is not RSA.
    """
    try:
        key: object = x509.load_pem_x509_certificate(pem).public_key()
    except ValueError:
        key = load_pem_public_key(pem)
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 (a wrong file, not a wrong call)
    return key


class PinnedCertificate:
    """One key for every certificate URL, for installations that cannot download it.

    Args:
        path: a PEM file.
    """

    def __init__(self, path: Path) -> None:
        self._key = read_key(path.read_bytes())

    async def key(self, url: str) -> RSAPublicKey:  # noqa: ARG002 (every URL has this key)
        """Return the pinned key."""
        return self._key

    async def close(self) -> None:
        """Do nothing: there are no resources to release."""


@dataclass(frozen=True, slots=True)
class _Cached:
    key: RSAPublicKey
    fresh_until: float


class CertificateStore:
    """Keys by certificate URL, downloaded once and refreshed in the background.

    Args:
        transport: HTTP transport; None for the default.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = httpx.AsyncClient(
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            timeout=FETCH_SECONDS,
            headers={"accept-encoding": "identity"},
        )
        self._clock = clock
        self._entries: OrderedDict[str, _Cached] = OrderedDict()
        self._fetches: dict[str, asyncio.Task[RSAPublicKey]] = {}

    async def key(self, url: str) -> RSAPublicKey:
        """Return the key of `url` from the cache (if stale, a refresh is started), else download it."""
        cached = self._entries.get(url)
        if cached is None:
            return await asyncio.shield(self._fetch(url))
        self._entries.move_to_end(url)
        if self._clock() >= cached.fresh_until:
            self._fetch(url)
        return cached.key

    async def close(self) -> None:
        """Cancel downloads and close connections."""
        fetches = list(self._fetches.values())
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)
        await self._client.aclose()

    def _fetch(self, url: str) -> asyncio.Task[RSAPublicKey]:
        task = self._fetches.get(url)
        if task is None:
            if len(self._fetches) >= MAX_CACHED_URLS:
                raise CertificateUnavailable("too many concurrent downloads")
            task = asyncio.create_task(self._refresh(url))
            self._fetches[url] = task
            task.add_done_callback(lambda done: self._on_fetched(url, done))
        return task

    def _on_fetched(self, url: str, task: asyncio.Task[RSAPublicKey]) -> None:
        del self._fetches[url]
        if not task.cancelled():
            task.exception()  # marks it as retrieved: nothing awaits a background refresh

    async def _refresh(self, url: str) -> RSAPublicKey:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                key = read_key(await self._download(url))
        except (httpx.HTTPError, httpx.StreamError, OSError, ValueError) as error:
            stale = self._entries.get(url)
            if stale is None:
                raise CertificateUnavailable(f"{url}: {type(error).__name__}") from error
            self._cache(url, _Cached(stale.key, self._clock() + RETRY_SECONDS))
            return stale.key
        self._cache(url, _Cached(key, self._clock() + FRESH_SECONDS))
        return key

    async def _download(self, url: str) -> bytes:
        async with self._client.stream("GET", url) as response:
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
