"""Pages that say why there is nothing to show, and the same as JSON."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from urllib.parse import urlencode

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ExceptionHandler

from console.access.gate import Forbidden, FormExpired, LoginNeeded
from console.web.duration_text import duration
from console.web.errors import Problem, RequestRefused
from console.web.ledger_reader import LedgerUnavailable
from console.web.page_renderer import PageRenderer, preferences_of
from console.web.texts.errors import ERRORS

RETRY_SECONDS = 10
"""After how many seconds a page without a ledger tries again."""

_BY_STATUS = {404: Problem.NOT_FOUND, 405: Problem.METHOD, 400: Problem.INVALID}

_log = structlog.get_logger()


class ErrorPages:
    """Answers requests that failed.

    Args:
        renderer: renders the templates.
        event_days: days for which events are kept.
    """

    def __init__(self, renderer: PageRenderer, *, event_days: float) -> None:
        self._renderer = renderer
        self._event_days = event_days

    def handlers(self) -> Mapping[int | type[Exception], ExceptionHandler]:
        """Return the handlers by what they handle, for Starlette."""
        return {
            HTTPException: self._http,
            RequestRefused: self._refused,
            LedgerUnavailable: self._ledger_away,
            LoginNeeded: self._login_needed,
            Forbidden: self._forbidden,
            FormExpired: self._form_expired,
            Exception: self._failed,
        }

    async def _http(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for this class
        if error.status_code in _BY_STATUS:
            return self.answer(request, _BY_STATUS[error.status_code])
        return Response(status_code=error.status_code, headers=error.headers)

    async def _refused(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestRefused)  # noqa: S101 - it is registered for this class
        return self.answer(request, error.problem, error.detail)

    async def _ledger_away(self, request: Request, _: Exception) -> Response:
        return self.answer(request, Problem.LEDGER_AWAY)

    async def _login_needed(self, request: Request, _: Exception) -> Response:
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        target = path if request.method == "GET" else "/"
        return RedirectResponse(f"/login?{urlencode({'next': target})}", 303)

    async def _forbidden(self, request: Request, error: Exception) -> Response:
        return self.answer(request, Problem.FORBIDDEN, str(error))

    async def _form_expired(self, request: Request, _: Exception) -> Response:
        return self.answer(request, Problem.FORM_EXPIRED)

    async def _failed(self, request: Request, error: Exception) -> Response:
        number = secrets.token_hex(4)
        _log.error("page_failed", number=number, path=request.url.path, exc_info=error)
        return self.answer(request, Problem.FAILED, number)

    def answer(self, request: Request, problem: Problem, detail: str = "") -> Response:
        """Return the page of a problem, or JSON where JSON was requested."""
        if request.url.path.endswith(".json"):
            raw = {"error": problem.value} | ({"detail": detail} if detail else {})
            response: Response = JSONResponse(raw, problem.status)
        else:
            words = ERRORS.in_language(preferences_of(request).language)
            values = {
                "problem": problem.value,
                "why": words.fill(
                    f"{problem}_why", detail=detail, days=duration(self._event_days * 86400, words.language)
                ),
                "retry_seconds": RETRY_SECONDS if problem is Problem.LEDGER_AWAY else None,
            }
            response = self._renderer.render(request, "error.html.j2", ERRORS, values, status=problem.status)
        if problem is Problem.LEDGER_AWAY:
            response.headers["retry-after"] = str(RETRY_SECONDS)
        return response
