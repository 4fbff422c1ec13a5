"""The list of events, with filters."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from common import clock
from common.extension_points import BY_CODE
from common.ledger import State
from common.verdicts import Result
from console.access.users import Role
from console.web.pages.console_page import ConsolePages, visible_projects, words_of
from console.web.texts.event_list import EVENT_LIST
from console.web.views.event_filters import OPEN, WOULD_BLOCK, parse_filters
from console.web.views.event_rows import count_causes, event_row
from console.web.views.times import format_moment

PAGE_SIZE = 50

_STATES = (
    ("dead", State.DEAD.value),
    ("checking", OPEN),
    ("ignored", State.IGNORED.value),
)
_VERDICTS = (
    ("blocked", Result.FAIL.value),
    ("would_block", WOULD_BLOCK),
    ("warned", Result.WARN.value),
    ("passed", Result.OK.value),
)


class EventListPage:
    """The list of events.

    Args:
        console: what the pages share.
    """

    def __init__(self, console: ConsolePages) -> None:
        self._console = console

    async def show(self, request: Request) -> Response:
        """Show one page of the events that fit the filters in the address."""
        identity = await self._console.gate.require(request)
        filters = parse_filters(request.query_params, clock.now())
        query = replace(filters.query, projects=visible_projects(identity, filters.query.projects))
        page = await self._console.reader.read(
            lambda ledger: ledger.search(query, limit=PAGE_SIZE, before=filters.before)
        )
        words = words_of(request, EVENT_LIST)
        is_dead = query.states == (State.DEAD,)
        values = {
            "rows": [event_row(record, words) for record in page.records],
            "filters": filters,
            "points": sorted(BY_CODE),
            "states": _STATES,
            "verdicts": _VERDICTS,
            "older": filters.address_of(page.next) if page.next else None,
            "reached": format_moment(page.next.at / 1000) if page.next and page.is_cut else None,
            "causes": count_causes(page.records) if is_dead else [],
            "is_dead": is_dead,
            "can_requeue": identity.user.role.includes(Role.OPERATOR),
        }
        return self._console.render(
            request, identity, "event_list.html.j2", EVENT_LIST, values, page="events"
        )
