"""The web application: routes, and what surrounds every one of them."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from common.ledger import Ledger
from console.web.console_routes import console_routes, create_gate
from console.web.event_access import EventAccess
from console.web.event_links import EventLinks
from console.web.ledger_reader import LedgerReader
from console.web.page_renderer import PageRenderer
from console.web.pages.console_page import ConsolePages
from console.web.pages.error_pages import ErrorPages
from console.web.pages.event_pages import EventPages
from console.web.pages.reference_pages import ReferencePages
from console.web.security_headers import SecurityHeaders
from console.web.settings import ConsoleSettings
from console.web.static_files import StaticFiles
from workers.checks import registry


def create_application(settings: ConsoleSettings, ledger: Ledger) -> Starlette:
    """Return the ASGI application.

    Args:
        settings: the console's settings.
        ledger: the events.
    """
    files = StaticFiles()
    renderer = PageRenderer(files)
    reader = LedgerReader(ledger)
    gate = create_gate(settings, reader)
    pages = ConsolePages(gate, reader, renderer)
    routes: list[BaseRoute] = [
        Route("/static/{name}", files.answer),
        Route("/healthz", _healthz),
        Route("/readyz", _Readiness(reader).answer),
        *ReferencePages(renderer, registry.load_checks()).routes(),
        *console_routes(settings, pages),
        *EventPages(pages, EventAccess(gate, EventLinks(settings, reader))).routes(),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers=ErrorPages(renderer, event_days=settings.event_days).handlers(),
    )


async def _healthz(_: Request) -> Response:
    return JSONResponse({"status": "alive"})


class _Readiness:
    """Whether the ledger answers.

    Args:
        reader: reads the ledger.
    """

    def __init__(self, reader: LedgerReader) -> None:
        self._reader = reader

    async def answer(self, _: Request) -> Response:
        """Return 200 if it does; raises LedgerUnavailable (503) if not."""
        await self._reader.read(lambda ledger: ledger.client.ping())
        return JSONResponse({"redis": True})
