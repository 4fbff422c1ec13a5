"""The event page, its parts, and the event as JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from common.events import Event
from common.ledger import EventProgress, EventRecord, Ledger
from common.signed_links import PARAMETER
from common.snapshot import Snapshot
from console.access.gate import Identity
from console.access.users import User
from console.output.json_text import json_text
from console.web.duration_text import duration
from console.web.errors import Problem, RequestRefused
from console.web.event_access import EventAccess
from console.web.page_renderer import preferences_of
from console.web.pages.console_page import ConsolePages
from console.web.texts.event import EVENT
from console.web.views.event_state import PageState, find_state, is_checking
from console.web.views.event_view import EventView, build_event
from console.web.views.findings_view import FindingsQuery
from console.web.views.impact_view import ImpactQuery, impact_csv

POLL_SECONDS = 2
"""Seconds between two questions of a page whether its event has changed."""

MAX_DIGITS = 5
"""Maximum digits of the number of a page."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Found:
    """An event, and what is kept of its operation's object."""

    record: EventRecord
    snapshot: Snapshot | None


class EventPages:
    """Answers requests for one event.

    Args:
        pages: what the pages of the console share.
        access: decides who may see an event.
    """

    def __init__(self, pages: ConsolePages, access: EventAccess) -> None:
        self._pages = pages
        self._reader = pages.reader
        self._access = access

    def routes(self) -> list[BaseRoute]:
        """Return the routes; an id may contain a slash."""
        return [
            Route("/events/{id:path}/progress", self._progress),
            Route("/events/{id:path}/impact.csv", self._csv),
            Route("/events/{id:path}.json", self._json),
            Route("/events/{id:path}", self._page),
        ]

    async def _page(self, request: Request) -> Response:
        found = await self._find(request)
        # In a thread: the page of a large event takes some time, in which others are answered.
        identity = await self._pages.gate.identify(request)
        return await anyio.to_thread.run_sync(self._render, request, found, identity)

    def _render(self, request: Request, found: _Found, identity: Identity | None) -> Response:
        query = _query(request)
        path = f"/events/{quote(found.record.event.message_id, safe='')}"
        values = {
            "view": self._view(request, found, query),
            "poll": f"{path}/progress?{request.url.query}",
            "poll_seconds": POLL_SECONDS,
            "csv_path": f"{path}/impact.csv",
            "all_findings": query.address("findings"),
            "etag": _etag(EventProgress.of(found.record), request),
        }
        return self._pages.render(request, identity, "event.html.j2", EVENT, values, page="events")

    async def _progress(self, request: Request) -> Response:
        """Answer whether the event has changed: 204 no, 200 with the new top of the page, 205 reload it."""
        progress = await self._require(request, Ledger.progress, lambda found: found.event)
        if not is_checking(progress.state, is_accepted=progress.is_accepted):
            return Response(status_code=205)
        etag = _etag(progress, request)
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=204, headers={"etag": etag})
        record = await self._find_record(request)
        if find_state(record) is not PageState.CHECKING:
            return Response(status_code=205)
        etag = _etag(EventProgress.of(record), request)
        view = self._view(request, _Found(record, None), FindingsQuery())
        words = EVENT.in_language(preferences_of(request).language)
        html = self._pages.renderer.render_text("verdict.html.j2", {"view": view, "words": words})
        return HTMLResponse(html, headers={"etag": etag})

    async def _json(self, request: Request) -> Response:
        record = await self._find_record(request)
        text = json_text(record.to_json(self._reader.ledger.extension_code))
        return Response(text, media_type="application/json")

    async def _csv(self, request: Request) -> Response:
        record = await self._find_record(request)
        headers = {"content-disposition": 'attachment; filename="impact.csv"'}
        return Response(impact_csv(record), media_type="text/csv", headers=headers)

    def _view(self, request: Request, found: _Found, query: FindingsQuery) -> EventView:
        words = EVENT.in_language(preferences_of(request).language)
        impact = ImpactQuery(
            opened=request.query_params.get("open", ""),
            page=_page_number(request.query_params.get("readers")),
            kept=query.kept,
        )
        kept = duration(self._reader.ledger.code_seconds, words.language)
        return build_event(found.record, found.snapshot, words, query, impact, kept=kept)

    async def _find_record(self, request: Request) -> EventRecord:
        return await self._require(request, Ledger.get, lambda record: record.event)

    async def _find(self, request: Request) -> _Found:
        return await self._require(request, _read, lambda found: found.record.event)

    async def _require(
        self, request: Request, read: Callable[[Ledger, str], T | None], event_of: Callable[[T], Event]
    ) -> T:
        """Return what `read` finds of the event of the address, if the user may see it."""
        message_id = request.path_params["id"]
        user = await self._access.require(request, message_id)
        found = await self._reader.read(lambda ledger: read(ledger, message_id))
        if found is None:
            raise _missing(user)
        self._access.require_workspace(user, event_of(found))
        return found


def _query(request: Request) -> FindingsQuery:
    return FindingsQuery(
        rule=request.query_params.get("rule") or None,
        page=_page_number(request.query_params.get("page")),
        kept=tuple((PARAMETER, value) for value in request.query_params.getlist(PARAMETER)[:1]),
    )


def _missing(user: User | None) -> RequestRefused:
    """Return why an event is not shown: one whose link is valid existed."""
    return RequestRefused(Problem.EVENT_GONE if user is None else Problem.EVENT_UNKNOWN)


def _read(ledger: Ledger, message_id: str) -> _Found | None:
    record = ledger.get(message_id)
    if record is None:
        return None
    kept = ledger.snapshot(message_id)
    return _Found(record, Snapshot.from_json(kept) if kept else None)


def _etag(progress: EventProgress, request: Request) -> str:
    """Return the version of what a page shows of an event that is being checked."""
    shown = (progress.state, progress.run, progress.done, preferences_of(request).language)
    return f'"{hashlib.sha256(repr(shown).encode()).hexdigest()[:16]}"'


def _page_number(text: str | None) -> int:
    is_number = text is not None and text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    return int(text) if is_number and text else 1
