"""Signature verification of requests signed by the SDK's own code, and of tampered ones."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest

from emulator.dataworks.responses import GatewayError
from emulator.dataworks.signature import ALGORITHM, SKEW_SECONDS, Nonces, SignedRequest, verify

NOW = 1_750_000_000.0
SECRETS = {"id": "secret"}
BODY = b"CheckResult=OK&MessageId=m-1"


def signed(
    query: dict[str, str] | None = None,
    body: bytes = BODY,
    at: float = NOW,
    key: str = "id",
    secret: str = SECRETS["id"],
) -> SignedRequest:
    """Return a request signed by the SDK's own code."""
    request = DaraRequest()
    request.method, request.pathname, request.query = "POST", "/", query or {}
    body_hash = hashlib.sha256(body).hexdigest()
    request.headers = {
        "host": "127.0.0.1:80",
        "x-acs-version": "2020-05-18",
        "x-acs-action": "UpdateIDEEventResult",
        "x-acs-date": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": "n-1",
        "x-acs-content-sha256": body_hash,
        "content-type": "application/x-www-form-urlencoded",
    }
    authorization = Utils.get_authorization(request, ALGORITHM, body_hash, key, secret)
    headers = {**request.headers, "authorization": authorization}
    return SignedRequest("POST", "/", urlencode(query or {}), headers, body)


def with_header(request: SignedRequest, name: str, value: str | None) -> SignedRequest:
    """Return the request with one header changed, or without it."""
    headers = {key: text for key, text in request.headers.items() if key != name}
    return dataclasses.replace(request, headers=headers if value is None else {**headers, name: value})


def code_of(request: SignedRequest, now: float = NOW) -> tuple[int, str]:
    """Return the status and code of the rejection."""
    with pytest.raises(GatewayError) as caught:
        verify(request, SECRETS, now)
    return caught.value.status, caught.value.code


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"MessageId": "m-1", "CheckResultTip": "two words"},
        {"CheckResultTip": "第 3 行：SELECT *"},
        {"b": "~-_.!*'()", "a": "x/y?z&w=1+2%20"},
        {"Extension": "True", "Empty": ""},
    ],
)
def test_the_sdk_s_signature_is_valid(query: dict[str, str]) -> None:
    assert verify(signed(query), SECRETS, NOW) == "n-1"


@pytest.mark.parametrize("offset", [-SKEW_SECONDS, 0, SKEW_SECONDS])
def test_a_date_within_fifteen_minutes_is_accepted(offset: float) -> None:
    assert verify(signed(at=NOW + offset), SECRETS, NOW) == "n-1"


@pytest.mark.parametrize("offset", [-SKEW_SECONDS - 1, SKEW_SECONDS + 1])
def test_a_date_beyond_fifteen_minutes_is_expired(offset: float) -> None:
    assert code_of(signed(at=NOW + offset)) == (400, "InvalidTimeStamp.Expired")


@pytest.mark.parametrize(
    "text", [None, "", "yesterday", "2025-06-15 12:00:00", "2025-06-15", "2025-13-40T12:00:00Z"]
)
def test_a_date_of_another_format_is_rejected(text: str | None) -> None:
    assert code_of(with_header(signed(), "x-acs-date", text)) == (400, "InvalidTimeStamp.Format")


def test_an_unknown_key_is_rejected() -> None:
    assert code_of(signed(key="other")) == (404, "InvalidAccessKeyId.NotFound")


def test_a_wrong_secret_is_rejected() -> None:
    assert code_of(signed(secret="other")) == (400, "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    "change",
    [
        {"body": b"CheckResult=FAIL&MessageId=m-1"},
        {"query": "MessageId=m-2"},
        {"path": "/other"},
        {"method": "GET"},
    ],
)
def test_a_changed_request_is_rejected(change: dict[str, object]) -> None:
    request = dataclasses.replace(signed(), **change)  # type: ignore[arg-type]
    assert code_of(request) == (400, "SignatureDoesNotMatch")


@pytest.mark.parametrize("name", ["host", "x-acs-action", "x-acs-signature-nonce", "x-acs-content-sha256"])
def test_a_changed_header_is_rejected(name: str) -> None:
    assert code_of(with_header(signed(), name, "other")) == (400, "SignatureDoesNotMatch")


def test_a_body_with_its_right_hash_in_an_unsigned_header_is_rejected() -> None:
    body = b"CheckResult=FAIL&MessageId=m-1"
    request = dataclasses.replace(signed(), body=body)
    forged = with_header(request, "x-acs-content-sha256", hashlib.sha256(body).hexdigest())
    assert code_of(forged) == (400, "SignatureDoesNotMatch")


def test_an_added_header_that_is_not_signed_is_rejected() -> None:
    assert code_of(with_header(signed(), "x-acs-security-token", "t")) == (400, "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    "text", [None, "", "Basic abc", "ACS3-HMAC-SHA256", "ACS3-HMAC-SHA256 Credential=id"]
)
def test_a_missing_acs3_authorization_is_rejected(text: str | None) -> None:
    assert code_of(with_header(signed(), "authorization", text)) == (400, "MissingAccessKeyId")


def test_a_signature_with_invalid_characters_is_rejected() -> None:
    text = signed().headers["authorization"].rpartition("=")[0] + "=签名"
    assert code_of(with_header(signed(), "authorization", text)) == (400, "SignatureDoesNotMatch")


def test_another_version_is_rejected() -> None:
    assert code_of(with_header(signed(), "x-acs-version", "2018-06-01")) == (400, "InvalidVersion")


def test_a_missing_nonce_is_rejected() -> None:
    assert code_of(with_header(signed(), "x-acs-signature-nonce", None)) == (400, "MissingSignatureNonce")


def test_a_nonce_is_valid_once() -> None:
    nonces = Nonces()
    nonces.use("a")
    nonces.use("b")
    with pytest.raises(GatewayError) as caught:
        nonces.use("a")
    assert caught.value.code == "SignatureNonceUsed"


def test_the_memory_of_nonces_is_bounded() -> None:
    nonces = Nonces(max_nonces=2)
    for nonce in ("a", "b", "c"):
        nonces.use(nonce)
    nonces.use("a")
    with pytest.raises(GatewayError):
        nonces.use("c")
