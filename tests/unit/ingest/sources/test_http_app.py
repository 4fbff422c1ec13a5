from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.types import Receive, Scope, Send

from common.ledger import Ledger, connect
from common.settings import SettingsError, load_settings
from ingest.celery_message import Message
from ingest.certificates import Certificates, CertificateStore, CertificateUnavailable, PinnedCertificate
from ingest.http_protocol import MAX_BODY_BYTES
from ingest.metrics import Metrics
from ingest.publishers.base import PublishFailed
from ingest.settings import IngestSettings
from ingest.sources.http_app import create_app
from tests.support.eventbridge_signing import (
    ACCOUNT,
    CERTIFICATE,
    NOW,
    TARGET,
    TOKEN,
    certificate_pem,
    envelope,
    private_key,
    sign,
)

MESSAGE_ID = "539fd8f4-4ea1-4625-aa8b-6c9066740001"


class MemoryPublisher:
    """A broker in memory that stores messages, or is unavailable."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.is_down = False

    async def start(self) -> None:
        """Do nothing."""

    async def publish(self, message: Message) -> None:
        if self.is_down:
            raise PublishFailed("unavailable")
        self.messages.append(message)

    async def ready(self) -> bool:
        return not self.is_down

    async def close(self) -> None:
        """Do nothing."""


class NoCertificate:
    """A certificate host that is unavailable."""

    async def key(self, url: str) -> RSAPublicKey:
        raise CertificateUnavailable(url)

    async def close(self) -> None:
        """Do nothing."""


class Gate:
    """The app under test with its dependencies."""

    def __init__(self, tmp_path: Path, redis_url: str, certificates: Certificates | None = None) -> None:
        pem = tmp_path / "eventbridge.pem"
        pem.write_bytes(certificate_pem())
        self.publisher = MemoryPublisher()
        self.ledger = Ledger(connect(redis_url, response_seconds=1), tmp_path.name)
        self.now = NOW
        self.app = create_app(
            settings(),
            publisher=self.publisher,
            certificates=certificates or PinnedCertificate(pem),
            ledger=self.ledger,
            metrics=Metrics(),
            clock=lambda: self.now,
        )

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        async with self.app.router.lifespan_context(self.app):
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gate") as client:
                yield client
        self.ledger.client.close()

    def run(self, test: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
        async def main() -> None:
            async with self.client() as client:
                await test(client)

        asyncio.run(main())

    def post(self, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        responses: list[httpx.Response] = []

        async def test(client: httpx.AsyncClient) -> None:
            wanted = sign(body) if headers is None else headers
            responses.append(await client.post("/events", content=body, headers=wanted))

        self.run(test)
        return responses[0]


def settings(**changes: Any) -> IngestSettings:
    values: dict[str, Any] = {
        "broker_url": "amqp://guest:guest@127.0.0.1:5672/",
        "redis_url": "redis://127.0.0.1:6379/0",
        "extension_code": "made-up",
        "region": "cn-shanghai",
        "eventbridge_target_urls": TARGET,
        "eventbridge_tokens": TOKEN,
        "eventbridge_accounts": ACCOUNT,
    }
    return IngestSettings(_env_file=None, **{**values, **changes})


@pytest.fixture
def gate(tmp_path: Path, redis_url: str) -> Gate:
    return Gate(tmp_path, redis_url)


NOWHERE = "redis://127.0.0.1:1/0"


def test_an_event_is_queued_once(gate: Gate) -> None:
    async def test(client: httpx.AsyncClient) -> None:
        body = envelope()
        first = await client.post("/events", content=body, headers=sign(body))
        assert (first.status_code, first.json()) == (200, {"status": "queued", "message_id": MESSAGE_ID})
        second = await client.post("/events", content=body, headers=sign(body))
        assert (second.status_code, second.json()) == (200, {"status": "duplicate", "message_id": MESSAGE_ID})
        assert [message.task_id for message in gate.publisher.messages] == [MESSAGE_ID]
        metrics = (await client.get("/metrics")).text
        assert 'dwgate_ingest_events_total{status="queued"} 1.0' in metrics
        assert 'dwgate_ingest_events_total{status="duplicate"} 1.0' in metrics
        assert "dwgate_ingest_publish_seconds_count 1.0" in metrics

    gate.run(test)


def test_an_event_without_extension_point_is_ignored(gate: Gate) -> None:
    response = gate.post(envelope(type="dataworks:NodeChange:NodeChangeCreated"))
    assert (response.status_code, response.json()) == (200, {"status": "ignored", "message_id": MESSAGE_ID})
    assert gate.publisher.messages == []


def test_an_unknown_extension_point_for_which_an_operation_waits_is_counted(gate: Gate) -> None:
    async def test(client: httpx.AsyncClient) -> None:
        kinds: list[dict[str, Any]] = [
            {"type": "dataworks:ModelChange:PublishModel", "data": {"extensionBizId": "59d"}},
            {"type": "dataworks:NodeChange:NodeChangeCreated", "data": {"blockBusiness": False}},
        ]
        for changes in kinds:
            body = envelope(**changes)
            answer = await client.post("/events", content=body, headers=sign(body))
            assert answer.json()["status"] == "ignored"
        metrics = (await client.get("/metrics")).text
        assert "dwgate_ingest_unknown_points_total 1.0" in metrics
        assert 'dwgate_ingest_events_total{status="ignored"} 2.0' in metrics

    gate.run(test)


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b"[]", b"{}", envelope(id=None), envelope(data=3), envelope(aliyunaccountid=None)],
)
def test_an_authentic_malformed_body_is_stored_and_not_retried(gate: Gate, body: bytes) -> None:
    response = gate.post(body)
    assert (response.status_code, response.json()) == (200, {"status": "rejected", "message_id": None})
    assert gate.publisher.messages == []
    client = gate.ledger.client
    assert client.llen(gate.ledger.key("rejects")) == 1
    [kept] = gate.ledger.rejects()
    assert kept["body"] == body.decode()
    client.close()


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "missing-header"),
        (sign(envelope(), token="other"), "token"),
        (sign(envelope(), at=NOW - 61), "clock"),
        (sign(envelope(), key="other"), "signature"),
        (sign(b"other"), "signature"),
        (sign(envelope(), certificate="https://evil.example.com/a.pem"), "certificate-url"),
    ],
)
def test_an_unauthentic_request_is_rejected_and_not_stored(
    tmp_path: Path, headers: dict[str, str], reason: str
) -> None:
    gate = Gate(tmp_path, NOWHERE)
    response = gate.post(envelope(), headers)
    assert (response.status_code, response.json()) == (401, {"status": "refused", "reason": reason})
    assert gate.publisher.messages == []


@pytest.mark.parametrize("changes", [{}, {"id": None}, {"type": "other"}])
def test_another_account_is_rejected_whatever_it_sends(tmp_path: Path, changes: dict[str, Any]) -> None:
    gate = Gate(tmp_path, NOWHERE)
    response = gate.post(envelope(aliyunaccountid="42", **changes))
    assert (response.status_code, response.json()) == (401, {"status": "refused", "reason": "account"})
    assert gate.publisher.messages == []


def test_without_the_broker_the_sender_must_retry(gate: Gate) -> None:
    async def test(client: httpx.AsyncClient) -> None:
        body = envelope()
        gate.publisher.is_down = True
        response = await client.post("/events", content=body, headers=sign(body))
        assert (response.status_code, response.json()["reason"]) == (503, "broker")
        assert int(response.headers["retry-after"]) > 0
        gate.publisher.is_down = False
        response = await client.post("/events", content=body, headers=sign(body))
        assert response.json()["status"] == "queued"

    gate.run(test)


def test_without_the_certificate_a_request_is_not_unauthentic(tmp_path: Path) -> None:
    response = Gate(tmp_path, NOWHERE, NoCertificate()).post(envelope())
    assert (response.status_code, response.json()["reason"]) == (503, "certificate")
    assert int(response.headers["retry-after"]) > 0


class CertificateHost:
    """A host with a certificate for each key, which can be down; it counts the requests by URL."""

    def __init__(self) -> None:
        self.is_down = False
        self.keys = {CERTIFICATE: "eventbridge"}
        self.visits: Counter[str] = Counter()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        self.visits[url] += 1
        if self.is_down:
            raise httpx.ConnectError("down")
        public = private_key(self.keys[url]).public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return httpx.Response(200, stream=httpx.ByteStream(pem))


def test_while_the_certificate_host_is_down_no_event_counts_as_unauthentic(tmp_path: Path) -> None:
    """Otherwise EventBridge would not deliver it again."""
    host = CertificateHost()
    gate = Gate(tmp_path, NOWHERE, CertificateStore(transport=httpx.MockTransport(host)))

    async def test(client: httpx.AsyncClient) -> None:
        body, forged = envelope(), envelope(id="another")
        requests = ((body, sign(body)), (forged, sign(forged, key="attacker")))
        host.is_down = True
        for content, headers in requests:
            response = await client.post("/events", content=content, headers=headers)
            assert (response.status_code, response.json()["reason"]) == (503, "certificate")
            assert int(response.headers["retry-after"]) > 0
        host.is_down = False
        answers = [await client.post("/events", content=content, headers=head) for content, head in requests]
        assert [answer.status_code for answer in answers] == [200, 401]
        assert len(gate.publisher.messages) == 1
        # A key that is known serves while the host is down.
        host.is_down = True
        later = envelope(id="later")
        assert (await client.post("/events", content=later, headers=sign(later))).status_code == 200

    gate.run(test)


def test_events_are_accepted_while_eventbridge_changes_its_key(tmp_path: Path) -> None:
    """The next certificate has another URL: it is downloaded once, and the old one stays in use."""
    host = CertificateHost()
    rotated = CERTIFICATE.replace("_1.pem", "_2.pem")
    host.keys[rotated] = "rotated"
    gate = Gate(tmp_path, NOWHERE, CertificateStore(transport=httpx.MockTransport(host)))

    async def test(client: httpx.AsyncClient) -> None:
        bodies = [envelope(id=f"e-{number}") for number in range(50)]
        pairs = ((CERTIFICATE, "eventbridge"), (rotated, "rotated"))
        posts = [
            client.post("/events", content=body, headers=sign(body, certificate=certificate, key=key))
            for body, (certificate, key) in zip(bodies, pairs * 25, strict=True)
        ]
        answers = await asyncio.gather(*posts)
        assert {answer.status_code for answer in answers} == {200}
        assert host.visits == {CERTIFICATE: 1, rotated: 1}
        # Neither key serves for the certificate of the other.
        for certificate, key in ((rotated, "eventbridge"), (CERTIFICATE, "rotated")):
            mixed = envelope(id=f"mixed-{key}")
            headers = sign(mixed, certificate=certificate, key=key)
            assert (await client.post("/events", content=mixed, headers=headers)).status_code == 401

    gate.run(test)


def test_without_redis_the_sender_of_a_malformed_body_must_retry(tmp_path: Path) -> None:
    gate = Gate(tmp_path, NOWHERE)
    response = gate.post(b"not json")
    assert (response.status_code, response.json()["reason"]) == (503, "redis")
    assert Gate(tmp_path, NOWHERE).post(envelope()).json()["status"] == "queued"


def test_a_body_over_a_mebibyte_is_rejected_by_its_length_and_while_it_is_read(gate: Gate) -> None:
    async def test(client: httpx.AsyncClient) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(1000):
                yield b"x" * 65536

        body = b"x" * (MAX_BODY_BYTES + 1)
        whole = await client.post("/events", content=body, headers=sign(body))
        assert whole.status_code == 413
        chunked = await client.post("/events", content=chunks(), headers=sign(body))
        assert chunked.status_code == 413
        exact = b"x" * MAX_BODY_BYTES
        assert (await client.post("/events", content=exact, headers=sign(exact))).json()[
            "status"
        ] == "rejected"

    gate.run(test)


def _scope(headers: dict[str, str]) -> Scope:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/events",
        "query_string": b"",
        "headers": raw,
    }


async def _status(gate: Gate, receive: Receive, headers: dict[str, str]) -> int:
    started: list[Any] = []

    async def send(message: Any) -> None:
        started.append(message)

    sender: Send = send
    await gate.app(_scope(headers), receive, sender)
    return int(started[0]["status"])


def test_a_sender_that_disconnects_leaves_nothing(gate: Gate) -> None:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    assert asyncio.run(_status(gate, receive, sign(b"x"))) == 400
    assert gate.publisher.messages == []


def test_an_unauthenticated_sender_is_rejected_before_its_body_is_read(gate: Gate) -> None:
    async def receive() -> Any:
        raise AssertionError("the body was read")

    assert asyncio.run(_status(gate, receive, {})) == 401


def test_readiness_names_the_unavailable_engine(gate: Gate, tmp_path: Path) -> None:
    async def ready(client: httpx.AsyncClient) -> None:
        assert (await client.get("/healthz")).status_code == 200
        response = await client.get("/readyz")
        assert (response.status_code, response.json()) == (200, {"broker": True, "redis": True})

    async def check_unavailable(client: httpx.AsyncClient) -> None:
        assert (await client.get("/healthz")).status_code == 200
        response = await client.get("/readyz")
        assert (response.status_code, response.json()) == (503, {"broker": False, "redis": False})

    gate.run(ready)
    other = Gate(tmp_path, NOWHERE)
    other.publisher.is_down = True
    other.run(check_unavailable)


def test_concurrent_readiness_requests_share_one_query(gate: Gate) -> None:
    release = asyncio.Event()
    queries = 0

    async def ready() -> bool:
        nonlocal queries
        queries += 1
        await release.wait()
        return True

    async def test(client: httpx.AsyncClient) -> None:
        gate.publisher.ready = ready  # type: ignore[method-assign]
        requests = [asyncio.create_task(client.get("/readyz")) for _ in range(50)]
        async with asyncio.timeout(5):
            while not queries:  # noqa: ASYNC110 (what it waits for has no event)
                await asyncio.sleep(0)
        release.set()
        assert {response.status_code for response in await asyncio.gather(*requests)} == {200}
        assert queries == 1
        await client.get("/readyz")
        assert queries == 2

    gate.run(test)


@pytest.mark.parametrize("path", ["/events/", "//events", "/healthz/", "//evil.example.com/events"])
def test_no_redirect_is_built_from_the_request(gate: Gate, path: str) -> None:
    async def test(client: httpx.AsyncClient) -> None:
        url = httpx.URL("http://gate").copy_with(raw_path=path.encode())
        for method in ("GET", "POST"):
            response = await client.request(method, url, headers={"host": "evil.example.com"})
            assert response.status_code == 404
            assert "location" not in response.headers

    gate.run(test)


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_events_accepts_post_only(gate: Gate, method: str) -> None:
    async def test(client: httpx.AsyncClient) -> None:
        assert (await client.request(method, "/events")).status_code == 405

    gate.run(test)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("EVENTBRIDGE_TOKENS", None, "missing"),
        ("EVENTBRIDGE_TOKENS", ",", "a list of at least 1"),
        ("EVENTBRIDGE_TOKENS", "secret-token", "the token has 12 characters, at least 24 are required"),
        ("EVENTBRIDGE_TOKENS", "secret-token,0123456789abc", "token 1 of 2 has 12 characters"),
        ("EVENTBRIDGE_TOKENS", f"{TOKEN},secret-token", "token 2 of 2 has 12 characters"),
        ("EVENTBRIDGE_TOKENS", "abc" * 10, "fewer than 6 different characters"),
        ("EVENTBRIDGE_TOKENS", "EVENTBRIDGE-TOKEN", "EVENTBRIDGE-TOKEN is the placeholder"),
        ("EVENTBRIDGE_TOKENS", "EVENTBRIDGE-TOKEN-EVENTBRIDGE-TOKEN", "is the placeholder"),
        (
            "BROKER_URL",
            "amqp://dwgate:BROKER-PASSWORD@rabbitmq:5672/%2F",
            "BROKER-PASSWORD is the placeholder",
        ),
        ("REDIS_URL", "redis://:REDIS-PASSWORD@redis:6379/0", "REDIS-PASSWORD is the placeholder"),
        ("EVENTBRIDGE_TARGET_URLS", "gate.example.com", "is not an http(s) URL"),
        ("EVENTBRIDGE_ACCOUNTS", "somebody", "is not an account UID"),
        ("EVENTBRIDGE_CERTIFICATE_FILE", "/nowhere/a.pem", "No such file"),
        ("EVENTBRIDGE_CERTIFICATE_FILE", __file__, "contains no RSA certificate"),
    ],
)
def test_an_invalid_setting_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str | None, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    good = {
        "BROKER_URL": "amqp://h/",
        "REDIS_URL": NOWHERE,
        "EXTENSION_CODE": "e",
        "REGION": "cn-shanghai",
        "EVENTBRIDGE_TARGET_URLS": TARGET,
        "EVENTBRIDGE_TOKENS": TOKEN,
        "EVENTBRIDGE_ACCOUNTS": ACCOUNT,
    }
    for key, text in {**good, name: value or ""}.items():
        monkeypatch.setenv(f"DWGATE_{key}", text)
    with pytest.raises(SettingsError) as caught:
        load_settings(IngestSettings)
    assert str(caught.value).count("\n") == 0
    assert str(caught.value).startswith(f"DWGATE_{name}: ")
    assert expected in str(caught.value)
    assert "secret-token" not in str(caught.value)
    assert TOKEN not in str(caught.value)
