"""Who makes a request, and whether they may: the one place that pages ask."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import anyio.to_thread
import structlog
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from common.errors import DwgateError
from console.access.proxy import TrustedProxy
from console.access.sessions import COOKIE, SESSION_SECONDS, Sessions
from console.access.users import LOCAL_USER, Login, Role, User
from console.access.users_file import Users
from console.guess_lock import GuessLock

CSRF_FIELD = "form_token"
"""Name of the hidden field of every form that changes something."""

MAX_PASSWORD_CHECKS = 2
"""Passwords that are checked at once: each takes 64 MiB and a few hundredths of a second."""

MAX_FIELDS = 1000
MAX_PASSWORD_LENGTH = 1000

_NO_ORIGIN = "null"

_log = structlog.get_logger()


class LoginNeeded(DwgateError):
    """A page is for users who are logged in."""


class Forbidden(DwgateError):
    """A user may not see a page or do what it does; the text is the role that may."""


class FormExpired(DwgateError):
    """A form was sent from another site, or its token is too old."""


class TooManyGuesses(DwgateError):
    """Too many wrong passwords came from an address, or for a user."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who makes a request.

    Attributes:
        user: the user.
        form_token: for the forms of the page.
    """

    user: User
    form_token: str


@dataclass(frozen=True, slots=True)
class AccessRules:
    """How users are identified.

    Attributes:
        users: returns the users of the users file; None without a file.
        is_open: whether everyone is the local user.
        proxy: the proxies that are trusted.
        is_secure: whether browsers reach the console by https only.
    """

    users: Callable[[], Users] | None = None
    is_open: bool = False
    proxy: TrustedProxy = field(default_factory=lambda: TrustedProxy((), "X-Forwarded-User"))
    is_secure: bool = False


class Gate:
    """Identifies users.

    Args:
        rules: how.
        key: returns the secret that sessions are signed with.
    """

    def __init__(self, rules: AccessRules, key: Callable[[], Awaitable[bytes]]) -> None:
        self.rules = rules
        self._key = key
        self._sessions: Sessions | None = None
        self._lock = GuessLock()
        self._checks = asyncio.Semaphore(MAX_PASSWORD_CHECKS)

    async def identify(self, request: Request) -> Identity | None:
        """Return who makes a request; None if that is unknown."""
        found = await self._resolve(request)
        if found is None:
            return None
        user, nonce = found
        return Identity(user, (await self._signer()).form_token(user, nonce))

    async def require(self, request: Request, role: Role = Role.VIEWER) -> Identity:
        """Return who makes a request.

        Raises:
            LoginNeeded: that is unknown.
            Forbidden: they do not have the role.
        """
        identity = await self.identify(request)
        if identity is None:
            raise LoginNeeded("this page is for users who are logged in")
        if not identity.user.role.includes(role):
            raise Forbidden(role.value)
        return identity

    async def read_form(self, request: Request, role: Role) -> tuple[Identity, FormData]:
        """Return who sends a form, and its fields.

        Raises:
            FormExpired: it does not come from a page that they were shown.
            LoginNeeded, Forbidden: as in `require`.
        """
        identity = await self.require(request, role)
        form = await self.read_own_form(request)
        found = await self._resolve(request)
        token = str(form.get(CSRF_FIELD, ""))
        if found is None or not (await self._signer()).is_form_token(token, *found):
            raise FormExpired("the form is too old")
        return identity, form

    async def read_own_form(self, request: Request) -> FormData:
        """Return the fields of a form that a page of the console sent.

        Raises:
            FormExpired: another site sent it.
        """
        if not _is_own_form(request):
            raise FormExpired("another site sent the form")
        return await request.form(max_files=0, max_fields=MAX_FIELDS)

    async def check_password(self, request: Request, name: str, password: str) -> User | None:
        """Return the user with a name and password; None if there is none. Wrong ones are counted.

        Raises:
            TooManyGuesses: the address or the name is locked.
        """
        users = self.rules.users
        sources = (f"address {self.rules.proxy.client_address(request)}", f"user {name[:100]}")
        if any(map(self._lock.is_locked, sources)):
            raise TooManyGuesses("too many wrong passwords")
        if users is None or len(password) > MAX_PASSWORD_LENGTH:
            return None
        async with self._checks:
            user = await anyio.to_thread.run_sync(users().check_password, name, password)
        if user is None:
            for source in sources:
                self._lock.count_failure(source)
            _log.warning("console_login_failed", login=Login.PASSWORD.value)
        return user

    async def log_in(self, request: Request, response: Response, user: User) -> None:
        """Add the cookie of a new session to a response."""
        users = self.rules.users
        stamp = users().stamp(user.name) if users else ""
        cookie = (await self._signer()).open(user.name, user.login, stamp)
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="lax",
            secure=self.rules.is_secure or request.url.scheme == "https",
        )
        _log.info("console_login", user=user.name, login=user.login.value)

    async def _resolve(self, request: Request) -> tuple[User, str] | None:
        """Return the user, and the nonce of their session; it is empty without one."""
        found = self._from_proxy(request) or await self._from_session(request)
        return (LOCAL_USER, "") if found is None and self.rules.is_open else found

    def _from_proxy(self, request: Request) -> tuple[User, str] | None:
        name = self.rules.proxy.user_name(request)
        user = self.rules.users().find(name, Login.PROXY) if name and self.rules.users else None
        return (user, "") if user else None

    async def _from_session(self, request: Request) -> tuple[User, str] | None:
        cookie = request.cookies.get(COOKIE)
        session = (await self._signer()).read(cookie) if cookie else None
        if session is None or self.rules.users is None:
            return None
        users = self.rules.users()
        user = users.find(session.name, session.login)
        if user is None or session.stamp != users.stamp(session.name):
            return None
        return user, session.nonce

    async def _signer(self) -> Sessions:
        if self._sessions is None:
            self._sessions = Sessions(await self._key())
        return self._sessions


def _is_own_form(request: Request) -> bool:
    """Whether a browser reports that a page of the console sent the form, or reports nothing.

    Sec-Fetch-Site is sent to https and loopback only; and since the pages have the referrer policy
    `no-referrer`, `Origin` is `null` for their own forms (Fetch Standard, "serializing a request origin").
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin", _NO_ORIGIN)
    return origin == _NO_ORIGIN or urlsplit(origin).netloc == request.headers.get("host", "")
