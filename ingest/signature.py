"""Verifies that a request comes from EventBridge, and from a rule with our token. Pure: no clock, no I/O.

Source: help page "Signature algorithm" (version 2, RSA over SHA-256). In the page's algorithm no newline
follows the body, in Alibaba Cloud's EventBridge SDK for Java one does. The page calls the token's header
optional, and a public receiver leaves its line out of the signed text. All four forms are tried. A signature
that does not cover the token is as good: it proves that EventBridge sent these bytes to this URL, and that
they come from our rule is proved by comparing the token, which is mandatory in either form. Version 1
(HMAC-SHA1 with a secret that the private key has wrapped) is not accepted: anyone who has received one such
request recovers its secret with the public key and can sign any other request with it, so it proves nothing.

Anyone can make EventBridge sign a request to our URL, with any body: the signature proves that EventBridge
sent it, only the token proves that our rule did. So the token is mandatory. The account in the body is
checked, too, which catches mistakes: who knows the token can have any account signed.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from common.errors import DwgateError
from ingest.certificates import is_certificate_url

WINDOW_SECONDS = 60.0
"""Maximum difference between the signed time and the local time, in both directions."""

_PREFIX = "x-eventbridge-"
_TIMESTAMP = _PREFIX + "signature-timestamp"
_HASH_METHOD = _PREFIX + "hash-method"
_VERSION = _PREFIX + "signature-version"
_URL = _PREFIX + "signature-url"
_TOKEN = _PREFIX + "signature-token"
_SIGNATURE_V1 = _PREFIX + "signature"
_SIGNATURE_V2 = _PREFIX + "signature-v2"

_TIMESTAMP_DIGITS = 16
"""Maximum length of the timestamp (milliseconds): a limit for the cost of `int`."""


class Reason(StrEnum):
    """Why a request is not authentic; a label of the metrics."""

    MISSING_HEADER = "missing-header"
    BAD_VERSION = "bad-version"
    CLOCK = "clock"
    TOKEN = "token"  # noqa: S105 (a reason, not a token)
    CERTIFICATE_URL = "certificate-url"
    SIGNATURE = "signature"
    ACCOUNT = "account"


class AuthenticationFailed(DwgateError):
    """The request is not from EventBridge, or not from our rule: answer 401 with `reason`, store nothing."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason

    def __reduce__(self) -> tuple[type[AuthenticationFailed], tuple[Reason]]:
        return type(self), (self.reason,)


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """Which requests are authentic.

    Attributes:
        target_urls: the URLs as set on the EventBridge target; the signature covers them.
        tokens: the accepted tokens, as sent.
        certificate_host: the host of EventBridge's certificates in our region.
    """

    target_urls: tuple[str, ...]
    tokens: tuple[bytes, ...]
    certificate_host: str


@dataclass(frozen=True, slots=True)
class SignedHeaders:
    """The signature headers of a request that passed `check_headers`.

    Attributes:
        certificate_url: URL of the certificate, on a host of EventBridge.
        lines: the signed header lines, each with its newline, in both forms: with and without the token's.
        signature: the signature, decoded.
    """

    certificate_url: str
    lines: tuple[bytes, bytes]
    signature: bytes


def merge_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return EventBridge's headers by lower-case name; repeated ones are joined (RFC 9110, section 5.3)."""
    merged: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        if lower.startswith(_PREFIX):
            merged[lower] = f"{merged[lower]}, {value}" if lower in merged else value
    return merged


def check_headers(headers: Iterable[tuple[str, str]], trust: TrustPolicy, now: float) -> SignedHeaders:
    """Make the checks that need neither body nor key: headers, clock, token, certificate URL, encoding.

    Args:
        headers: pairs of name, in any case, and value as latin-1 text.
        trust: which requests are authentic.
        now: seconds since the epoch.

    Raises:
        AuthenticationFailed: a check failed.
    """
    merged = merge_headers(headers)
    if _SIGNATURE_V2 not in merged:
        # The reason for a request without any signature is the missing header, not the older version.
        raise AuthenticationFailed(Reason.BAD_VERSION if _SIGNATURE_V1 in merged else Reason.MISSING_HEADER)
    # The token's line is the last one.
    fields = [
        (name, _required_header(merged, name)) for name in (_TIMESTAMP, _HASH_METHOD, _VERSION, _URL, _TOKEN)
    ]
    signature = _required_header(merged, _SIGNATURE_V2)
    if merged[_HASH_METHOD] != "SHA256" or merged[_VERSION] != "1.0":
        raise AuthenticationFailed(Reason.BAD_VERSION)
    _check_clock(merged[_TIMESTAMP], now)
    _check_token(merged[_TOKEN], trust.tokens)
    if not is_certificate_url(merged[_URL], trust.certificate_host):
        raise AuthenticationFailed(Reason.CERTIFICATE_URL)
    return SignedHeaders(
        certificate_url=merged[_URL],
        lines=(_join_lines(fields), _join_lines(fields[:-1])),
        signature=_decode_base64(signature),
    )


def verify_signature(signed: SignedHeaders, body: bytes, trust: TrustPolicy, key: RSAPublicKey) -> None:
    """Check the signature over the body.

    Args:
        signed: the result of `check_headers`.
        body: the raw body.
        trust: which requests are authentic.
        key: the key of `signed.certificate_url`.

    Raises:
        AuthenticationFailed: the signature is not valid for any configured target URL.
    """
    if not any(_is_rsa_sha256(key, signed.signature, text) for text in _signed_texts(signed, body, trust)):
        raise AuthenticationFailed(Reason.SIGNATURE)


def _signed_texts(signed: SignedHeaders, body: bytes, trust: TrustPolicy) -> Iterator[bytes]:
    for lines in signed.lines:
        for url in trust.target_urls:
            text = b"%b\n%b%b" % (url.encode(), lines, body)
            yield text
            yield text + b"\n"


def _join_lines(fields: Iterable[tuple[str, str]]) -> bytes:
    return _to_latin1("".join(f"{name}: {value}\n" for name, value in fields))


def _is_rsa_sha256(key: RSAPublicKey, signature: bytes, text: bytes) -> bool:
    try:
        key.verify(signature, text, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _required_header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise AuthenticationFailed(Reason.MISSING_HEADER)
    return value


def _check_clock(timestamp: str, now: float) -> None:
    digits = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _TIMESTAMP_DIGITS
    if not digits or abs(now - int(timestamp) / 1000) > WINDOW_SECONDS:
        raise AuthenticationFailed(Reason.CLOCK)


def _check_token(token: str, tokens: tuple[bytes, ...]) -> None:
    sent = _to_latin1(token)
    matches = [hmac.compare_digest(sent, known) for known in tokens]  # no early exit: constant time
    if not any(matches):
        raise AuthenticationFailed(Reason.TOKEN)


def _to_latin1(text: str) -> bytes:
    return text.encode("latin-1", errors="replace")


def _decode_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise AuthenticationFailed(Reason.SIGNATURE) from None
