"""The EventBridge emulator: signatures (verified independently), deliveries to a real server, events."""

from __future__ import annotations

import asyncio
import base64
import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from common.extension_points import BY_CODE, POINTS, extension_point_for
from common.verdicts import Result
from emulator.dataworks import world
from emulator.eventbridge import event_bodies
from emulator.eventbridge.sender import Delivery, Sender, Signer, certificate_url
from emulator.samples import load_samples
from tests.support.engines import free_port

URL = "https://gate.example.com/events?from=bus"
NOW = 1_612_167_546.574
URL_LINE = (
    "https://cn-shanghai-eventbridge.oss-accelerate.aliyuncs.com/x509_public_certificate_2021012501.pem"
)
ACCOUNT = "1107550004250001"
SIGNER = Signer.generate()


def public_key(signer: Signer) -> rsa.RSAPublicKey:
    key = x509.load_pem_x509_certificate(signer.certificate_pem).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key


def text(method_line: str, body: str, token: str | None) -> bytes:
    """Return the string to sign, spelled out as documented."""
    token_line = f"x-eventbridge-signature-token: {token}\n" if token else ""
    return (
        f"{URL}\n"
        "x-eventbridge-signature-timestamp: 1612167546574\n"
        f"{method_line}\n"
        "x-eventbridge-signature-version: 1.0\n"
        f"x-eventbridge-signature-url: {URL_LINE}\n"
        f"{token_line}"
        f"{body}"
    ).encode()


@pytest.mark.parametrize("token", [None, "s3cret"])
@pytest.mark.parametrize("newline", [False, True])
def test_version_2_is_rsa_over_the_documented_text(token: str | None, newline: bool) -> None:
    headers = SIGNER.sign(URL, '{"名":1}'.encode(), NOW, token, trailing_newline=newline)
    signature = base64.b64decode(headers["x-eventbridge-signature-v2"], validate=True)
    expected = text("x-eventbridge-hash-method: SHA256", '{"名":1}' + ("\n" if newline else ""), token)
    public_key(SIGNER).verify(signature, expected, PKCS1v15(), SHA256())
    assert headers.get("x-eventbridge-signature-token") == token
    assert "x-eventbridge-signature" not in headers


def test_version_2_does_not_match_another_body() -> None:
    signature = base64.b64decode(SIGNER.sign(URL, b"{}", NOW, None)["x-eventbridge-signature-v2"])
    expected = text("x-eventbridge-hash-method: SHA256", "{ }", None)
    with pytest.raises(InvalidSignature):
        public_key(SIGNER).verify(signature, expected, PKCS1v15(), SHA256())


def test_a_saved_signer_is_the_same_and_its_key_is_private(tmp_path: Path) -> None:
    SIGNER.save(tmp_path)
    loaded = Signer.load(tmp_path)
    assert loaded.sign(URL, b"{}", NOW, "t") == SIGNER.sign(URL, b"{}", NOW, "t")
    assert stat.S_IMODE((tmp_path / "eventbridge-key.pem").stat().st_mode) == 0o600


def test_the_certificate_is_named_by_region() -> None:
    assert certificate_url("us-east-1").startswith(
        "https://us-east-1-eventbridge.oss-accelerate.aliyuncs.com/"
    )


class Target:
    """A server that responds with the given statuses, then with 200, and records the requests."""

    def __init__(self, statuses: list[int]) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                target.requests.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(statuses.pop(0) if statuses else 200)
                self.end_headers()
                self.wfile.write(b"seen")

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/events"


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    target = Target(list(request.param))
    thread = threading.Thread(target=target.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield target
    target.server.shutdown()
    thread.join()
    target.server.server_close()


def deliver(url: str, **options: Any) -> Delivery:
    async def run() -> Delivery:
        sender = Sender(target_url=url, token="t", signer=SIGNER, backoff_scale=0.001, **options)
        async with sender:
            return await sender.send({"id": "m-1"})

    return asyncio.run(run())


@pytest.mark.parametrize("target", [[]], indirect=True)
def test_a_2xx_is_a_delivery(target: Target) -> None:
    delivery = deliver(target.url)
    assert (delivery.delivered, delivery.attempts, delivery.status, delivery.body) == (True, 1, 200, "seen")
    headers, body = target.requests[0]
    assert json.loads(body) == {"id": "m-1"}
    assert headers["x-eventbridge-signature-token"] == "t"


@pytest.mark.parametrize("target", [[503, 401]], indirect=True)
def test_any_other_status_is_retried_with_a_new_signature(target: Target) -> None:
    delivery = deliver(target.url)
    assert (delivery.delivered, delivery.attempts) == (True, 3)
    assert len({body for _, body in target.requests}) == 1
    stamps = {headers["x-eventbridge-signature-timestamp"] for headers, _ in target.requests}
    assert len(stamps) == 3


@pytest.mark.parametrize("target", [[500] * 9], indirect=True)
def test_there_are_at_most_three_retries(target: Target) -> None:
    delivery = deliver(target.url)
    assert (delivery.delivered, delivery.attempts, delivery.status) == (False, 4, 500)
    assert len(target.requests) == 4


def test_no_response_is_no_delivery() -> None:
    delivery = deliver(f"http://127.0.0.1:{free_port()}/events")
    assert (delivery.delivered, delivery.attempts, delivery.status) == (False, 4, None)


@pytest.mark.parametrize("code", BY_CODE)
def test_every_extension_point_has_an_event(code: str) -> None:
    first = event_bodies.event_envelope(code, event_bodies.event_body(code), account_id=ACCOUNT, now=NOW)
    second = event_bodies.event_envelope(code, event_bodies.event_body(code), account_id=ACCOUNT, now=NOW)
    assert first["id"] != second["id"]
    assert first["aliyunaccountid"] == ACCOUNT
    assert extension_point_for(first["type"]) is BY_CODE[code]
    assert json.loads(json.dumps(first)) == first


def test_each_event_has_a_check_process_of_its_own() -> None:
    assert (
        event_bodies.event_body("commit-file")["extensionBizId"]
        != event_bodies.event_body("commit-file")["extensionBizId"]
    )


def test_the_envelope_has_the_published_fields_and_times() -> None:
    event = event_bodies.event_envelope(
        "commit-file", event_bodies.event_body("commit-file"), account_id=ACCOUNT, now=NOW
    )
    assert event["aliyunpublishtime"] == "2021-02-01T08:19:06.574Z"
    assert event["time"] == "2021-02-01T16:19:06.574Z"
    assert (event["specversion"], event["source"], event["subject"]) == ("1.0", "acs.dataworks", "")


def test_a_regular_copy_blocks_nothing() -> None:
    event = event_bodies.event_envelope(
        "commit-file", event_bodies.event_body("commit-file"), account_id=ACCOUNT, now=NOW
    )
    copied = event_bodies.regular_copy(event)
    assert copied["id"] != event["id"]
    assert copied["data"]["blockBusiness"] is False
    assert "extensionBizId" not in copied["data"]
    assert event["data"]["blockBusiness"] is True


def test_there_is_one_good_and_one_bad_sample_for_each_of_the_ten_points() -> None:
    samples = load_samples()
    assert len(samples) == 20
    codes = {point.code for point in POINTS[:11]} - {"review-file"}
    for quality, expected in (("good", Result.OK), ("bad", Result.FAIL)):
        some = [sample for sample in samples if sample.quality == quality]
        assert {sample.event_code for sample in some} == codes
        assert {sample.expected for sample in some} == {expected}
        assert all((sample.fault is None) == (quality == "good") for sample in some)


@pytest.mark.parametrize("sample", load_samples(), ids=lambda sample: str(sample.name))
def test_a_sample_has_a_snapshot_where_the_point_has_one(sample: Any) -> None:
    assert (sample.snapshot is not None) == BY_CODE[sample.event_code].has_snapshot
    assert not set(sample.data) - set(event_bodies.event_body(sample.event_code))


def test_nodes_of_the_samples_are_in_the_sample_world() -> None:
    sample_world = world.load_world()
    for sample in load_samples():
        for node_id in sample.data.get("nodeIds", sample.data.get("includeNodeIds", [])):
            assert node_id in sample_world.nodes, sample.name
