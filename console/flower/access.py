"""Access to Flower's pages: comparison of passwords, a lock against guesses, headers for browsers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Sequence

from cachetools import TTLCache
from tornado.httputil import HTTPHeaders
from tornado.web import OutputTransform, RequestHandler

MAX_FAILURES = 10
"""Wrong passwords after which an address is locked."""

WINDOW_SECONDS = 60
MAX_ADDRESSES = 10_000

INLINE_SCRIPT = "\nvar autorefresh = 1;\n"
"""The one script that Flower writes into a page; all others are files."""

_SCRIPT_HASH = base64.b64encode(hashlib.sha256(INLINE_SCRIPT.encode()).digest()).decode()
_HEADERS = {
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        f"default-src 'self'; script-src 'self' 'sha256-{_SCRIPT_HASH}';"
        " style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
        " form-action 'self'; frame-ancestors 'none'"
    ),
}


class PasswordGate:
    """Compares basic credentials, and locks out an address that guesses.

    After `MAX_FAILURES` wrong passwords, each within `WINDOW_SECONDS` of the one before, an address is locked
    for `WINDOW_SECONDS`. Meanwhile a correct password is rejected as well: otherwise guessing would continue.

    Args:
        users: the accepted `user:password` pairs, in ASCII.
        clock: monotonic seconds.
    """

    def __init__(self, users: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._users = [user.encode() for user in users]
        self._failures: TTLCache[str, int] = TTLCache(MAX_ADDRESSES, WINDOW_SECONDS, timer=clock)

    def is_locked(self, address: str) -> bool:
        """Whether `address` guessed too often."""
        return self._failures.get(address, 0) >= MAX_FAILURES

    def check(self, address: str, authorization: str) -> bool:
        """Return whether an `Authorization` header has accepted credentials; count a wrong one."""
        given = _decode(authorization)
        if any([hmac.compare_digest(given, user) for user in self._users]):  # noqa: C419 - compare with all
            return True
        self._failures[address] = self._failures.get(address, 0) + 1
        return False


def _decode(authorization: str) -> bytes:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:
        return b""


class TooManyAttempts(RequestHandler):
    """Answers an address that is locked out."""

    def check_xsrf_cookie(self) -> None:
        """Check nothing: every request gets the same answer."""

    def prepare(self) -> None:
        """Answer any method."""
        self.set_status(429)
        self.set_header("Retry-After", str(WINDOW_SECONDS))
        self.finish("too many wrong passwords\n")


class SecurityHeaders(OutputTransform):
    """Adds the headers to every response that keep other pages from framing or scripting Flower."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Add the headers; called by Tornado."""
        del finishing
        for name, value in _HEADERS.items():
            headers[name] = value
        return status_code, headers, chunk
