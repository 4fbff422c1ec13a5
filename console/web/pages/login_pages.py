"""Logging in and out."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.access.gate import Identity, TooManyGuesses
from console.access.oidc import LoginFailed, OidcLogin
from console.access.sessions import COOKIE
from console.access.users import Login, Role
from console.guess_lock import WINDOW_SECONDS
from console.web.pages.console_page import ConsolePages, words_of
from console.web.pages.login_trail import LoginTrail
from console.web.texts.login import LOGIN

_MAX_ADDRESS = 2000


class LoginPages:
    """The pages of the login.

    Args:
        console: what the pages share.
        oidc: the login by OpenID Connect; None if it is not configured.
    """

    def __init__(self, console: ConsolePages, oidc: OidcLogin | None) -> None:
        self._console = console
        self._oidc = oidc
        self._trail = LoginTrail(console.gate, console.reader)

    async def show(self, request: Request) -> Response:
        """Show the ways to log in."""
        return self._page(request)

    async def submit(self, request: Request) -> Response:
        """Log in by password."""
        gate = self._console.gate
        form = await gate.read_own_form(request)
        name, password = str(form.get("name", "")).strip(), str(form.get("password", ""))
        try:
            user = await gate.check_password(request, name, password)
        except TooManyGuesses:
            response = self._page(request, "locked", status=429)
            response.headers["retry-after"] = str(WINDOW_SECONDS)
            return response
        if user is None:
            await self._trail.record_refusal(request, Login.PASSWORD, name)
            return self._page(request, "wrong", status=403)
        await self._trail.record_login(request, user)
        response = RedirectResponse(local_address(str(form.get("next", ""))), 303)
        await gate.log_in(request, response, user)
        return response

    async def log_out(self, request: Request) -> Response:
        """End the session of this browser."""
        await self._console.gate.read_form(request, Role.VIEWER)
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE)
        return response

    async def start_oidc(self, request: Request) -> Response:
        """Send the browser to the provider."""
        if self._oidc is None:
            return RedirectResponse("/login", 303)
        request.session["next"] = local_address(request.query_params.get("next", ""))
        try:
            return await self._oidc.start(request)
        except LoginFailed as error:
            return self._page(request, "failed", status=502, reason=str(error))

    async def finish_oidc(self, request: Request) -> Response:
        """Log in the person whom the provider has identified."""
        if self._oidc is None:
            return RedirectResponse("/login", 303)
        gate = self._console.gate
        try:
            name = await self._oidc.finish(request)
        except LoginFailed as error:
            await self._trail.record_refusal(request, Login.OIDC, "")
            return self._page(request, "failed", status=403, reason=str(error))
        user = gate.rules.users().find(name, Login.OIDC) if gate.rules.users else None
        if user is None:
            await self._trail.record_refusal(request, Login.OIDC, name)
            return self._page(request, "unknown_user", status=403, name=name)
        await self._trail.record_login(request, user)
        response = RedirectResponse(local_address(str(request.session.pop("next", ""))), 303)
        await gate.log_in(request, response, user)
        return response

    def _page(self, request: Request, problem: str = "", *, status: int = 200, **values: str) -> Response:
        words = words_of(request, LOGIN)
        users = self._console.gate.rules.users
        nobody: Identity | None = None
        shown = {
            "problem": words.fill(problem, **values) if problem else "",
            "has_passwords": bool(users and users().has_passwords),
            "has_provider": self._oidc is not None,
            "next": local_address(request.query_params.get("next", "")),
        }
        return self._console.render(request, nobody, "login.html.j2", LOGIN, shown, status=status)


def local_address(text: str) -> str:
    """Return an address of the console; `/` for one of another site."""
    parts = urlsplit(text[:_MAX_ADDRESS].replace("\\", "/"))
    if parts.scheme or parts.netloc or not parts.path.startswith("/") or parts.path.startswith("//"):
        return "/"
    return parts.geturl()
