"""The start page: what needs attention, and the state of the fleet."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from common import clock
from common.config_files.errors import ConfigError
from common.ledger import EventQuery, EventRecord, Ledger, State
from common.ledger.queries.facets import WOULD_FAIL, Facet, index_key
from common.verdicts import Result
from console.access.users import Role
from console.diagnoses import fleet_reader
from console.diagnoses.fleet_status import FleetStatus, QueueLength
from console.errors import EngineDown, EngineRefused
from console.web.config_files import ConfigFiles
from console.web.ledger_reader import LedgerUnavailable
from console.web.pages.console_page import ConsolePages, words_of
from console.web.settings import ConsoleSettings
from console.web.texts.status import STATUS
from console.web.views.event_rows import cause
from console.web.views.status_view import (
    CHART_HEIGHT,
    CHART_WIDTH,
    FleetFacts,
    build_charts,
    chart_edges,
    find_needs,
    memory_text,
    role_rows,
)
from console.web.views.times import format_moment

READ_SECONDS = 1.5
"""Maximum seconds to wait for each engine."""

MAX_DECIDED = 100
"""Decided events that are examined for a passed deadline."""

_CHARTS = {
    "events": "all",
    "blocked": index_key(Facet.RESULT, Result.FAIL.value),
    "would_block": index_key(Facet.RESULT, WOULD_FAIL),
    "warned": index_key(Facet.RESULT, Result.WARN.value),
    "dead": f"state:{State.DEAD}",
}
"""The index that each chart shows."""


class StatusPage:
    """The start page.

    Args:
        console: what the pages share.
        settings: of the console.
        files: the policy and the waivers.
    """

    def __init__(self, console: ConsolePages, settings: ConsoleSettings, files: ConfigFiles) -> None:
        self._console = console
        self._settings = settings
        self._files = files

    async def show(self, request: Request) -> Response:
        """Show the page."""
        identity = await self._console.gate.require(request, Role.OPERATOR)
        status, queues, (dead, overdue), arrivals = await asyncio.gather(
            self._status(),
            self._queues(),
            self._console.reader.read(_read_events),
            self._console.reader.read(_read_arrivals),
        )
        problems, expiring = await anyio.to_thread.run_sync(self._read_files)
        status = replace(status, queues=queues or ())
        facts = FleetFacts(
            status, queues is not None, cause(dead) if dead else "", overdue, problems, expiring
        )
        words = words_of(request, STATUS)
        values = {
            "needs": find_needs(facts, words),
            "status": status,
            "is_broker_up": facts.is_broker_up,
            "newest": format_moment(status.newest.received_at) if status.newest else "",
            "memory": memory_text(status, words),
            "roles": role_rows(status),
            "charts": build_charts(arrivals),
            "chart": (CHART_WIDTH, CHART_HEIGHT),
            "events": [(_state_key(state), number) for state, number in status.events.items()],
        }
        return self._console.render(request, identity, "status.html.j2", STATUS, values, page="now")

    async def _status(self) -> FleetStatus:
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await anyio.to_thread.run_sync(
                    fleet_reader.read_ledger_status, self._settings, abandon_on_cancel=True
                )
        except (TimeoutError, EngineDown, EngineRefused) as error:
            raise LedgerUnavailable("Redis does not answer") from error

    async def _queues(self) -> tuple[QueueLength, ...] | None:
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await anyio.to_thread.run_sync(
                    fleet_reader.read_queues, self._settings, abandon_on_cancel=True
                )
        except (TimeoutError, EngineDown, EngineRefused):
            return None

    def _read_files(self) -> tuple[dict[str, str], int]:
        problems = self._files.problems()
        try:
            waivers = self._files.waivers()
        except ConfigError:
            return problems, 0
        return problems, len(waivers.expiring(clock.now())) if waivers else 0


def _read_events(ledger: Ledger) -> tuple[EventRecord | None, int]:
    """Return the newest dead event, and the number of decided ones whose deadline has passed."""
    dead = ledger.search(EventQuery(states=(State.DEAD,)), limit=1).records
    decided = ledger.search(EventQuery(states=(State.DECIDED,)), limit=MAX_DECIDED).records
    now = clock.now()
    return (dead[0] if dead else None), sum(record.deadline_at < now for record in decided)


def _read_arrivals(ledger: Ledger) -> dict[str, list[int]]:
    numbers = ledger.arrivals([*_CHARTS.values()], chart_edges(clock.now()))
    return dict(zip(_CHARTS, numbers, strict=True))


def _state_key(state: State) -> str:
    return f"state_{state.value}"
