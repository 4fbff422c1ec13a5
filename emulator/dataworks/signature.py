"""Verifies requests signed with ACS3-HMAC-SHA256, as Alibaba Cloud's gateway verifies the SDK's requests.

The format is described on the help page "V3 request structure and signature"; the set of headers is the one
that alibabacloud_tea_openapi 0.4.6 sends.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, quote

from cachetools import FIFOCache

from emulator.dataworks.responses import GatewayError

ALGORITHM = "ACS3-HMAC-SHA256"
VERSION = "2020-05-18"
DATA_STUDIO_VERSION = "2024-05-18"
"""The version for files of workspaces on the new Data Studio."""

SKEW_SECONDS = 15 * 60
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as received.

    Attributes:
        method: upper case.
        path: without the query.
        query: the raw query string, without `?`.
        headers: names in lower case, surrounding blanks removed.
        body: the raw body.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Authorization:
    key_id: str
    signed_headers: tuple[str, ...]
    signature: str


class Nonces:
    """The most recent nonces; with more than `most`, the oldest is dropped."""

    def __init__(self, max_nonces: int = 200_000) -> None:
        self._seen: FIFOCache[str, None] = FIFOCache(max_nonces)

    def use(self, nonce: str) -> None:
        """Record `nonce`.

        Raises:
            GatewayError: it was used before.
        """
        if nonce in self._seen:
            raise GatewayError(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
        self._seen[nonce] = None


def verify(request: SignedRequest, secrets: Mapping[str, str], now: float) -> str:
    """Return the nonce of a correctly signed request, to be checked with `Nonces`.

    Args:
        request: the request.
        secrets: AccessKey secrets by AccessKey ID.
        now: seconds since the epoch.

    Raises:
        GatewayError: it is not correctly signed; the error code says why.
    """
    _check_version(request.headers)
    authorization = _authorization(request.headers.get("authorization", ""))
    secret = secrets.get(authorization.key_id)
    if secret is None:
        raise GatewayError(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
    _check_date(request.headers.get("x-acs-date", ""), now)
    nonce = request.headers.get("x-acs-signature-nonce")
    if not nonce:
        raise GatewayError(400, "MissingSignatureNonce", "x-acs-signature-nonce is mandatory.")
    body_hash = hashlib.sha256(request.body).hexdigest()
    expected = _signature(request, authorization.signed_headers, body_hash, secret)
    if (
        request.headers.get("x-acs-content-sha256") != body_hash
        or not _covers(request.headers, authorization.signed_headers)
        or not hmac.compare_digest(expected.encode(), authorization.signature.encode())
    ):
        raise GatewayError(
            400, "SignatureDoesNotMatch", "Specified signature does not match our calculation."
        )
    return nonce


def _check_version(headers: Mapping[str, str]) -> None:
    if headers.get("x-acs-version") not in {VERSION, DATA_STUDIO_VERSION}:
        served = f"{VERSION} and {DATA_STUDIO_VERSION} are served"
        raise GatewayError(400, "InvalidVersion", f"Specified version is not valid, {served}.")


def _authorization(header: str) -> _Authorization:
    scheme, _, rest = header.partition(" ")
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    key_id, names = fields.get("Credential"), fields.get("SignedHeaders")
    if scheme != ALGORITHM or not key_id or not names:
        raise GatewayError(
            400, "MissingAccessKeyId", f"An Authorization header with {ALGORITHM} is mandatory."
        )
    return _Authorization(key_id, tuple(names.split(";")), fields.get("Signature", ""))


def _check_date(text: str, now: float) -> None:
    try:
        # Saves a tenth of the check compared to strptime; it accepts other formats too, hence the pattern.
        date = datetime.fromisoformat(text).timestamp() if _DATE.fullmatch(text) else None
    except ValueError:
        date = None
    if date is None:
        raise GatewayError(
            400, "InvalidTimeStamp.Format", "x-acs-date is not in the format yyyy-MM-ddTHH:mm:ssZ."
        )
    if abs(now - date) > SKEW_SECONDS:
        raise GatewayError(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")


def _covers(headers: Mapping[str, str], signed: tuple[str, ...]) -> bool:
    needed = {name for name in headers if name.startswith("x-acs-") or name in {"host", "content-type"}}
    return needed <= set(signed)


def _signature(request: SignedRequest, signed: tuple[str, ...], body_hash: str, secret: str) -> str:
    lines = "".join(f"{name}:{request.headers.get(name, '')}\n" for name in sorted(signed))
    canonical = "\n".join(
        (request.method, request.path, _canonical_query(request.query), lines, ";".join(signed), body_hash)
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return hmac.digest(secret.encode(), f"{ALGORITHM}\n{digest}".encode(), "sha256").hex()


def _canonical_query(query: str) -> str:
    # The SDK sends `+` for a space on the wire and signs `%20`: decode first, then encode by RFC 3986.
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    return "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs)
