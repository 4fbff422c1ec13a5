"""Access to Flower's pages: comparison of passwords, a lock against guesses, headers for browsers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Sequence

from tornado.httputil import HTTPHeaders
from tornado.web import OutputTransform, RequestHandler

from console.guess_lock import WINDOW_SECONDS, GuessLock

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

    Args:
        users: the accepted `user:password` pairs, in ASCII.
        clock: monotonic seconds.
    """

    def __init__(self, users: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._users = [user.encode() for user in users]
        self._lock = GuessLock(clock)

    def is_locked(self, address: str) -> bool:
        """Whether `address` guessed too often."""
        return self._lock.is_locked(address)

    def check(self, address: str, authorization: str) -> bool:
        """Return whether an `Authorization` header has accepted credentials; count a wrong one."""
        given = _decode(authorization)
        if any([hmac.compare_digest(given, user) for user in self._users]):  # noqa: C419 - compare with all
            return True
        self._lock.count_failure(address)
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
