"""Who may see an event: the holder of its signed link, and everyone where the console is open."""

from __future__ import annotations

from enum import StrEnum

from starlette.requests import Request

from console.web.errors import Problem, RequestRefused
from console.web.event_links import EventLinks
from console.web.settings import ConsoleSettings


class Reach(StrEnum):
    """What a person may see: one event by its link, or every event."""

    LINK = "link"
    ALL = "all"


class EventAccess:
    """Decides whether a request may see an event.

    Args:
        settings: the console's settings.
        links: verifies links.
    """

    def __init__(self, settings: ConsoleSettings, links: EventLinks) -> None:
        self._is_open = settings.console_open
        self._links = links

    async def require(self, request: Request, message_id: str) -> Reach:
        """Check that a request may see the event `message_id`, and return how.

        Raises:
            RequestRefused: it may not.
            LedgerUnavailable: the key of the links cannot be read.
        """
        if self._is_open:
            return Reach.ALL
        if await self._links.verify(request, message_id):
            return Reach.LINK
        raise RequestRefused(Problem.LINK_MISSING)
