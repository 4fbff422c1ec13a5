from __future__ import annotations

import base64
import hmac
import pickle
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from ingest.certificates import certificate_host
from ingest.signature import (
    AuthenticationFailed,
    Reason,
    TrustPolicy,
    check_headers,
    merge_headers,
    verify_signature,
)
from tests.support.eventbridge_signing import CERTIFICATE, NOW, TARGET, TOKEN, envelope, private_key, sign

BODY = envelope()
HOST = certificate_host("cn-shanghai")
TRUST = TrustPolicy((TARGET,), (TOKEN.encode(),), HOST)
PREFIX = "x-eventbridge-"


def check(
    headers: Mapping[str, str], body: bytes = BODY, trust: TrustPolicy = TRUST, now: float = NOW
) -> None:
    verify_signature(check_headers(headers.items(), trust, now), body, trust, private_key().public_key())


def refusal(
    headers: Mapping[str, str], body: bytes = BODY, trust: TrustPolicy = TRUST, now: float = NOW
) -> Reason:
    with pytest.raises(AuthenticationFailed) as caught:
        check(headers, body, trust, now)
    return caught.value.reason


@pytest.mark.parametrize("newline", [False, True])
def test_version_2_is_accepted_with_and_without_a_newline_after_the_body(newline: bool) -> None:
    check(sign(BODY, newline=newline))


@pytest.mark.parametrize("newline", [False, True])
def test_the_line_of_the_token_need_not_be_signed(newline: bool) -> None:
    trust = TrustPolicy(("https://a.example.com/", TARGET), (TOKEN.encode(),), HOST)
    check(sign(BODY, newline=newline, unsigned=f"{PREFIX}signature-token"), trust=trust)


def test_an_unsigned_token_is_checked_all_the_same() -> None:
    headers = sign(BODY, unsigned=f"{PREFIX}signature-token")
    assert refusal(headers | {f"{PREFIX}signature-token": "other"}) is Reason.TOKEN
    assert refusal({n: v for n, v in headers.items() if n != f"{PREFIX}signature-token"}) is (
        Reason.MISSING_HEADER
    )
    assert refusal(headers, BODY + b" ") is Reason.SIGNATURE
    assert refusal(headers | {f"{PREFIX}signature-timestamp": str(int(NOW * 1000) + 1)}) is Reason.SIGNATURE


@pytest.mark.parametrize("name", ["signature-timestamp", "hash-method", "signature-version", "signature-url"])
def test_every_other_line_must_be_signed(name: str) -> None:
    assert refusal(sign(BODY, unsigned=PREFIX + name)) is Reason.SIGNATURE


def sign_v1(at: float = NOW) -> dict[str, str]:
    """Return the headers of version 1: an HMAC with a secret that anyone can recover from another request."""
    headers = {name: value for name, value in sign(BODY, at=at).items() if not name.endswith("-v2")}
    del headers[f"{PREFIX}hash-method"]
    secret = b"0123456789abcdefghijABCDEFGHIJ_-"
    wrapped = private_key().sign(secret, padding.PKCS1v15(), NoDigestInfo())
    lines = "".join(f"{name}: {value}\n" for name, value in headers.items())
    text = f"{TARGET}\n{PREFIX}signature-method: HMAC-SHA1\n{lines}".encode() + BODY + b"\n"
    return {
        **headers,
        f"{PREFIX}signature-method": "HMAC-SHA1",
        f"{PREFIX}signature-secret": base64.b64encode(wrapped).decode(),
        f"{PREFIX}signature": base64.b64encode(hmac.digest(secret, text, "sha1")).decode(),
    }


def test_version_1_is_rejected() -> None:
    assert refusal(sign_v1()) is Reason.BAD_VERSION


@pytest.mark.parametrize("body", [b"", b"\xff\xfe not text", b"line\r\nline\n", b"x" * 300_000])
def test_any_bytes_can_be_signed(body: bytes) -> None:
    check(sign(body), body)


def test_header_names_may_have_any_case() -> None:
    check({name.title(): value for name, value in sign(BODY).items()})


def test_every_configured_target_url_is_tried() -> None:
    trust = TrustPolicy(("https://a.example.com/", TARGET, "https://b.example.com/"), (TOKEN.encode(),), HOST)
    check(sign(BODY), trust=trust)


def test_every_configured_token_is_tried() -> None:
    trust = TrustPolicy((TARGET,), (b"old", "neu-ü".encode()), HOST)
    for token in ("old", "neu-ü".encode().decode("latin-1")):
        headers = sign(BODY, token="old")
        if token != "old":
            headers = _resigned(headers | {f"{PREFIX}signature-token": token})
        check(headers, trust=trust)


def _resigned(headers: dict[str, str]) -> dict[str, str]:
    lines = [(name, value) for name, value in headers.items() if not name.endswith("-v2")]
    text = f"{TARGET}\n".encode() + "".join(f"{n}: {v}\n" for n, v in lines).encode("latin-1") + BODY
    signature = private_key().sign(text, padding.PKCS1v15(), SHA256())
    return {**headers, f"{PREFIX}signature-v2": base64.b64encode(signature).decode()}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"target": "https://evil.example.com/events"}, Reason.SIGNATURE),
        ({"target": TARGET + "/"}, Reason.SIGNATURE),
        ({"key": "other"}, Reason.SIGNATURE),
        ({"token": "other"}, Reason.TOKEN),
        ({"token": TOKEN + "x"}, Reason.TOKEN),
        ({"certificate": "https://evil.example.com/a.pem"}, Reason.CERTIFICATE_URL),
        ({"certificate": f"https://{certificate_host('us-east-1')}/a.pem"}, Reason.CERTIFICATE_URL),
    ],
)
def test_a_signature_of_others_is_rejected(wrong: dict[str, str], reason: Reason) -> None:
    assert refusal(sign(BODY, **wrong)) is reason  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body", [BODY + b" ", BODY[:-1], b"", BODY + b"\n\n", BODY.replace(b"93124", b"93125")]
)
def test_another_body_is_rejected(body: bytes) -> None:
    assert refusal(sign(BODY), body) is Reason.SIGNATURE


@pytest.mark.parametrize("name", list(sign(b"")))
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_or_empty_header_is_rejected(name: str, value: str | None) -> None:
    headers = {n: v for n, v in sign(BODY).items() if n != name}
    if value is not None:
        headers[name] = value
    assert refusal(headers) is Reason.MISSING_HEADER


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("signature-version", "2.0", Reason.BAD_VERSION),
        ("signature-version", "1.0 ", Reason.BAD_VERSION),
        ("hash-method", "SHA1", Reason.BAD_VERSION),
        ("hash-method", "sha256", Reason.BAD_VERSION),
        ("signature-v2", "not base64!", Reason.SIGNATURE),
        ("signature-v2", "AAAA", Reason.SIGNATURE),
        ("signature-v2", "é", Reason.SIGNATURE),
        ("signature-timestamp", "soon", Reason.CLOCK),
        ("signature-timestamp", "-1", Reason.CLOCK),
        ("signature-timestamp", "1e12", Reason.CLOCK),
        ("signature-timestamp", "١٢٣", Reason.CLOCK),
        ("signature-timestamp", "9" * 400, Reason.CLOCK),
        ("signature-timestamp", str(int(NOW)), Reason.CLOCK),
        ("signature-timestamp", str(int(NOW * 1000) + 1), Reason.SIGNATURE),
    ],
)
def test_a_changed_header_is_rejected(name: str, value: str, reason: Reason) -> None:
    assert refusal(sign(BODY) | {PREFIX + name: value}) is reason


@pytest.mark.parametrize("broken", ["truncated", "padding stripped", "whitespace"])
def test_a_broken_signature_is_rejected(broken: str) -> None:
    headers = sign(BODY)
    name = f"{PREFIX}signature-v2"
    raw = base64.b64decode(headers[name])
    headers[name] = {
        "truncated": base64.b64encode(raw[:-1]).decode(),
        "padding stripped": headers[name].rstrip("="),
        "whitespace": headers[name][:10] + "\n" + headers[name][10:],
    }[broken]
    assert refusal(headers) is Reason.SIGNATURE


def test_another_algorithm_is_rejected() -> None:
    headers = sign(BODY)
    lines = [(name, value) for name, value in headers.items() if not name.endswith("-v2")]
    text = f"{TARGET}\n".encode() + "".join(f"{n}: {v}\n" for n, v in lines).encode() + BODY
    pss = padding.PSS(padding.MGF1(SHA256()), padding.PSS.MAX_LENGTH)
    for signature in (
        private_key().sign(text, padding.PKCS1v15(), SHA1()),  # noqa: S303 (it must not pass)
        private_key().sign(text, pss, SHA256()),
    ):
        headers[f"{PREFIX}signature-v2"] = base64.b64encode(signature).decode()
        assert refusal(headers) is Reason.SIGNATURE


def test_headers_of_version_1_add_nothing_to_version_2() -> None:
    check(sign_v1() | sign(BODY))
    assert refusal(sign_v1() | sign(BODY) | {f"{PREFIX}signature-v2": "AAAA"}) is Reason.SIGNATURE


def test_a_request_without_any_signature_lacks_a_header() -> None:
    assert refusal({}) is Reason.MISSING_HEADER


@pytest.mark.parametrize("off", [-60.0, -59.9, 0.0, 59.9, 60.0])
def test_a_clock_up_to_a_minute_off_is_accepted(off: float) -> None:
    check(sign(BODY), now=NOW + off)


@pytest.mark.parametrize("off", [-61.0, -60.001, 60.001, 61.0, 86400.0])
def test_a_clock_further_off_is_rejected(off: float) -> None:
    assert refusal(sign(BODY), now=NOW + off) is Reason.CLOCK


def test_a_timestamp_may_have_up_to_16_digits() -> None:
    check(sign(BODY, at=1e12), now=1e12)
    assert refusal(sign(BODY, at=1e13), now=1e13) is Reason.CLOCK


def test_the_certificate_is_the_one_that_the_request_names() -> None:
    other = f"https://{HOST}/another.pem"
    for url in (CERTIFICATE, other):
        headers = sign(BODY, certificate=url)
        assert check_headers(headers.items(), TRUST, NOW).certificate_url == url


@pytest.mark.parametrize(
    ("name", "reason"),
    [("signature-token", Reason.TOKEN), ("signature-url", Reason.CERTIFICATE_URL)],
)
def test_a_character_that_no_header_can_carry_is_refused(name: str, reason: Reason) -> None:
    headers = sign(BODY)
    headers[PREFIX + name] += "\N{EURO SIGN}"
    assert refusal(headers) is reason


def test_repeated_headers_are_joined_and_so_rejected() -> None:
    headers = sign(BODY)
    doubled = merge_headers([*headers.items(), (f"{PREFIX}signature-token", TOKEN)])
    assert doubled[f"{PREFIX}signature-token"] == f"{TOKEN}, {TOKEN}"
    assert refusal(doubled) is Reason.TOKEN


def test_the_cheap_checks_come_first() -> None:
    headers = sign(BODY, token="other", certificate="https://evil.example.com/a.pem", key="other")
    assert refusal(headers, now=NOW + 100) is Reason.CLOCK
    assert refusal(headers) is Reason.TOKEN


def test_the_error_contains_no_secret() -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        check(sign(BODY, token="other-secret"))
    assert str(caught.value) == "token"


@pytest.mark.parametrize("reason", Reason)
def test_the_error_keeps_its_reason_between_processes(reason: Reason) -> None:
    copy = pickle.loads(pickle.dumps(AuthenticationFailed(reason)))  # noqa: S301 - our own bytes
    assert type(copy) is AuthenticationFailed
    assert (copy.reason, str(copy)) == (reason, reason.value)
