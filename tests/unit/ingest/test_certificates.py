from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from common.settings import REGIONS
from ingest import certificates
from ingest.certificates import (
    CertificateStore,
    CertificateUnavailable,
    PinnedCertificate,
    certificate_host,
    is_certificate_url,
    read_key,
)
from tests.support.eventbridge_signing import CERTIFICATE, NOW, certificate_pem, private_key

HOST = "cn-shanghai-eventbridge.oss-accelerate.aliyuncs.com"
Handler = Callable[[httpx.Request], httpx.Response]


@pytest.mark.parametrize("region", REGIONS)
def test_only_the_host_of_the_region_is_accepted(region: str) -> None:
    url = f"https://{region}-eventbridge.oss-accelerate.aliyuncs.com/x509_2021012501.pem"
    assert is_certificate_url(url, certificate_host(region))
    for other in REGIONS:
        assert is_certificate_url(url, certificate_host(other)) is (other == region)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x509.pem",
        f"http://{HOST}/a.pem",
        f"HTTPS://{HOST}/a.pem",
        f"https://{HOST}",
        f"https://{HOST}/",
        f"https://{HOST}:443/a.pem",
        f"https://{HOST}:8443/a.pem",
        f"https://user@{HOST}/a.pem",
        f"https://{HOST}@evil.com/a.pem",
        f"https://{HOST}\\@evil.com/a.pem",
        f"https://evil.com\\.{HOST}/a.pem",
        f"https://{HOST}.evil.com/a.pem",
        f"https://{HOST}./a.pem",
        f"https://evil.com/{HOST}/a.pem",
        f"https://evil.com#{HOST}/a.pem",
        f"https://{HOST}/a.pem#fragment",
        f"https://{HOST}/a.pem?x=1",
        f"https://{HOST}/../a.pem",
        f"https://{HOST}/a/./b.pem",
        f"https://{HOST}//a.pem",
        f"https://{HOST}/a%2eb.pem",
        f" https://{HOST}/a.pem",
        f"https://{HOST}/a.pem\n",
        f"https://{HOST}/a .pem",
        f"https://{HOST}/\u00e4.pem",
        "https://cn-sh\u0430nghai-eventbridge.oss-accelerate.aliyuncs.com/a.pem",
        "https://xn--cn-shnghai-eventbridge-0xf.oss-accelerate.aliyuncs.com/a.pem",
        "https://evil-eventbridge.oss-accelerate.aliyuncs.com/a.pem",
        "https://cn-nowhere-eventbridge.oss-accelerate.aliyuncs.com/a.pem",
        "https://cn-shanghai-eventbridge.oss-cn-shanghai.aliyuncs.com/a.pem",
        "https://g.alicdn.com/eventbridge/certifacete/public.pem",
        f"https://{HOST}/{'a' * 5000}.pem",
        f"file://{HOST}/a.pem",
        f"//{HOST}/a.pem",
    ],
)
def test_any_other_url_is_rejected(url: str) -> None:
    assert not is_certificate_url(url, HOST)


def test_a_key_is_read_from_a_certificate_or_a_bare_key() -> None:
    public = private_key().public_key()
    bare = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for pem in (certificate_pem(), bare):
        assert read_key(pem).rsa.public_numbers() == public.public_numbers()


def test_other_keys_are_rejected() -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    for pem in (b"", b"nonsense", curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)):
        with pytest.raises(ValueError, match=r"."):
            read_key(pem)


def test_a_pinned_certificate_serves_every_url(tmp_path: Path) -> None:
    path = tmp_path / "eventbridge.pem"
    path.write_bytes(certificate_pem())
    key = asyncio.run(PinnedCertificate(path).key(CERTIFICATE))
    assert key.public_numbers() == private_key().public_key().public_numbers()


def served(pem: bytes) -> httpx.Response:
    """Return a real streamed response."""

    async def chunks() -> AsyncIterator[bytes]:
        yield pem

    return httpx.Response(200, content=chunks())


class Site:
    """A certificate host that counts its requests and sends configured responses."""

    def __init__(self) -> None:
        self.visits = 0
        self.answer: Callable[[], httpx.Response] = lambda: served(certificate_pem())
        self.open = asyncio.Event()
        self.open.set()
        self.now = 0.0
        self.wall = NOW

    async def __call__(self, _: httpx.Request) -> httpx.Response:
        self.visits += 1
        await self.open.wait()
        return self.answer()

    def store(self) -> CertificateStore:
        return CertificateStore(
            transport=httpx.MockTransport(self), clock=lambda: self.now, wall_clock=lambda: self.wall
        )


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 (what it waits for has no event)
            await asyncio.sleep(0)


def test_one_download_serves_concurrent_and_later_requests() -> None:
    async def main() -> None:
        site = Site()
        store = site.store()
        keys = await asyncio.gather(*(store.key(CERTIFICATE) for _ in range(50)))
        assert {key.key_size for key in keys} == {2048}
        await store.key(CERTIFICATE)
        assert site.visits == 1
        await store.close()

    asyncio.run(main())


def test_a_cancelled_request_does_not_cancel_the_download_of_others() -> None:
    async def main() -> None:
        site = Site()
        site.open.clear()
        store = site.store()
        first, second = (asyncio.create_task(store.key(CERTIFICATE)) for _ in range(2))
        await until(lambda: site.visits == 1)
        first.cancel()
        site.open.set()
        assert (await second).key_size == 2048
        await store.close()

    asyncio.run(main())


def test_a_stale_key_is_served_at_once_and_refreshed_in_the_background() -> None:
    async def main() -> None:
        site = Site()
        store = site.store()
        first = await store.key(CERTIFICATE)
        site.now = certificates.FRESH_SECONDS
        site.open.clear()
        assert await store.key(CERTIFICATE) is first
        await until(lambda: site.visits == 2)
        site.open.set()
        await until(lambda: not store._fetches)
        assert await store.key(CERTIFICATE) is not first
        await store.close()

    asyncio.run(main())


def test_a_stale_key_is_kept_when_the_host_fails() -> None:
    async def main() -> None:
        site = Site()
        store = site.store()
        first = await store.key(CERTIFICATE)
        site.answer = lambda: httpx.Response(503)
        for visit in (2, 3):
            site.now += certificates.FRESH_SECONDS
            assert await store.key(CERTIFICATE) is first
            await until(lambda: not store._fetches)
            assert await store.key(CERTIFICATE) is first
            assert site.visits == visit
        await store.close()

    asyncio.run(main())


def test_a_key_that_cannot_be_refreshed_for_a_week_is_no_longer_used() -> None:
    async def main() -> None:
        site = Site()
        store = site.store()
        first = await store.key(CERTIFICATE)
        site.answer = _raise
        site.now = certificates.STALE_SECONDS - 1
        assert await store.key(CERTIFICATE) is first
        await until(lambda: not store._fetches)
        site.now = certificates.STALE_SECONDS
        for _ in range(2):
            with pytest.raises(CertificateUnavailable, match="ConnectError"):
                await store.key(CERTIFICATE)
        site.answer = lambda: served(certificate_pem())
        assert (await store.key(CERTIFICATE)).key_size == 2048
        await store.close()

    asyncio.run(main())


def test_a_refresh_starts_the_week_again() -> None:
    async def main() -> None:
        site = Site()
        store = site.store()
        await store.key(CERTIFICATE)
        site.now = certificates.STALE_SECONDS - 1
        await store.key(CERTIFICATE)
        await until(lambda: not store._fetches)
        site.answer = _raise
        site.now += certificates.STALE_SECONDS - 1
        assert (await store.key(CERTIFICATE)).key_size == 2048
        await store.close()

    asyncio.run(main())


@pytest.mark.parametrize("status", [404, 410])
def test_a_withdrawn_certificate_is_not_used_again(status: int) -> None:
    async def main() -> None:
        site = Site()
        store = site.store()
        await store.key(CERTIFICATE)
        site.answer = lambda: httpx.Response(status)
        site.now = certificates.FRESH_SECONDS
        await store.key(CERTIFICATE)  # starts the refresh that finds out
        await until(lambda: not store._fetches)
        with pytest.raises(CertificateUnavailable, match="withdrawn"):
            await store.key(CERTIFICATE)
        await store.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("start", "reason"),
    [(-10, "expired on 2026-09-"), (1, "not valid before 2026-09-")],
)
def test_a_downloaded_certificate_outside_its_dates_is_not_used(start: int, reason: str) -> None:
    async def main() -> None:
        pem = certificate_pem(datetime.fromtimestamp(NOW, UTC) + timedelta(days=start), 5)
        site = Site()
        site.answer = lambda: served(pem)
        store = site.store()
        with pytest.raises(CertificateUnavailable, match=reason):
            await store.key(CERTIFICATE)
        await store.close()

    asyncio.run(main())


def test_a_cached_certificate_that_expires_is_downloaded_again() -> None:
    async def main() -> None:
        site = Site()
        old = certificate_pem(datetime.fromtimestamp(NOW, UTC) - timedelta(days=4), 5)
        site.answer = lambda: served(old)
        store = site.store()
        await store.key(CERTIFICATE)
        site.wall = NOW + 2 * 86400
        with pytest.raises(CertificateUnavailable, match="expired"):
            await store.key(CERTIFICATE)
        site.answer = lambda: served(certificate_pem())
        assert (await store.key(CERTIFICATE)).key_size == 2048
        await store.close()

    asyncio.run(main())


def test_a_bare_key_has_no_dates() -> None:
    bare = private_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert read_key(bare).invalid_reason(0.0) is None
    assert read_key(bare).invalid_reason(1e12) is None


def _raise() -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.mark.parametrize(
    "answer",
    [
        lambda: httpx.Response(404),
        lambda: httpx.Response(302, headers={"location": f"https://{HOST}/b.pem"}),
        lambda: served(b"no certificate"),
        lambda: served(certificate_pem() + b"\n" * certificates.MAX_CERTIFICATE_BYTES),
        _raise,
    ],
    ids=["missing", "redirect", "nonsense", "too long", "refused"],
)
def test_a_failed_download_without_a_cached_key_is_unavailable(answer: Callable[[], httpx.Response]) -> None:
    async def main() -> None:
        site = Site()
        site.answer = answer
        store = site.store()
        with pytest.raises(CertificateUnavailable):
            await store.key(CERTIFICATE)
        site.answer = lambda: served(certificate_pem())
        assert (await store.key(CERTIFICATE)).key_size == 2048
        await store.close()

    asyncio.run(main())


def test_a_slow_host_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "FETCH_SECONDS", 0.05)

    async def main() -> None:
        site = Site()
        site.open.clear()
        store = site.store()
        with pytest.raises(CertificateUnavailable):
            await store.key(CERTIFICATE)
        await store.close()

    asyncio.run(main())


def test_the_cache_and_the_downloads_are_bounded() -> None:
    async def main() -> None:
        site = Site()
        store = site.store()
        urls = [CERTIFICATE + str(number) for number in range(certificates.MAX_CACHED_URLS + 10)]
        for url in urls:
            await store.key(url)
        assert len(store._entries) == certificates.MAX_CACHED_URLS
        site.open.clear()
        tasks = [asyncio.create_task(store.key(url + "x")) for url in urls]
        await until(lambda: sum(task.done() for task in tasks) == 10)
        site.open.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(result, CertificateUnavailable) for result in results) == 10
        await store.close()

    asyncio.run(main())
