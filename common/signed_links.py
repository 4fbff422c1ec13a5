"""Signed links to the details of one event, for people without an account: valid for a limited time.

A token is `EXPIRY.SIGNATURE`: the seconds since the epoch at which it expires, and an HMAC-SHA256 of the
event's id and that time, shortened to 128 bits (RFC 2104, section 5) because a tip is short. Whoever has the
link can read this event, and nothing else.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from enum import StrEnum
from urllib.parse import quote, urlsplit, urlunsplit

MESSAGE_ID = "{message_id}"
"""Placeholder of the event's id in a details URL."""

PARAMETER = "t"
"""Query parameter with the token."""

MAX_SECONDS = 7 * 86400.0
"""Maximum time for which a link is valid."""

_SIGNATURE_BYTES = 16
_TOKEN = re.compile(r"(?P<expiry>[1-9][0-9]{0,11})\.(?P<signature>[A-Za-z0-9_-]{22})")
_PURPOSE = "dwgate details link"
"""Part of what is signed, so that no other HMAC with the same key is a token."""


class LinkCheck(StrEnum):
    """What a token is worth."""

    VALID = "valid"
    EXPIRED = "expired"
    ALTERED = "altered"
    """Not made with this key for this event, or no token at all."""


def sign(key: bytes, message_id: str, expires_at: float) -> str:
    """Return the token of an event's link.

    Args:
        key: the secret key of the fleet.
        message_id: the event.
        expires_at: when the link expires, in seconds since the epoch; fractions are dropped.
    """
    expiry = str(int(expires_at))
    return f"{expiry}.{_signature(key, message_id, expiry)}"


def verify(key: bytes, message_id: str, token: str, now: float) -> LinkCheck:
    """Return whether `token` opens an event `now` (seconds since the epoch), in constant time.

    An expired token is only told apart from an altered one if its signature is good.
    """
    match = _TOKEN.fullmatch(token)
    if match is None:
        return LinkCheck.ALTERED
    expected = _signature(key, message_id, match["expiry"])
    if not hmac.compare_digest(expected.encode(), match["signature"].encode()):
        return LinkCheck.ALTERED
    return LinkCheck.VALID if now < int(match["expiry"]) else LinkCheck.EXPIRED


def details_link(template: str, message_id: str, token: str | None = None) -> str:
    """Return the URL of an event's details, with `token` in its query.

    Args:
        template: an http or https URL with `{message_id}`, perhaps with a query and a fragment.
        message_id: the event.
        token: of `sign`; None for a link that is not signed.
    """
    url = template.replace(MESSAGE_ID, quote(message_id, safe=""))
    if token is None:
        return url
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, f"{PARAMETER}={token}")))
    return urlunsplit(parts._replace(query=query))


def _signature(key: bytes, message_id: str, expiry: str) -> str:
    text = f"{_PURPOSE}\n{expiry}\n{message_id}"
    digest = hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256")
    return urlsafe_b64encode(digest[:_SIGNATURE_BYTES]).decode().rstrip("=")
