"""Who may see an event: the holder of its signed link, and users of the console."""

from __future__ import annotations

from starlette.requests import Request

from common.events import Event
from console.access.gate import Forbidden, Gate, LoginNeeded
from console.access.users import User
from console.web.errors import Problem, RequestRefused
from console.web.event_links import EventLinks


class EventAccess:
    """Decides whether a request may see an event.

    Args:
        gate: identifies the users of the console.
        links: verifies the links of tips.
    """

    def __init__(self, gate: Gate, links: EventLinks) -> None:
        self._gate = gate
        self._links = links

    async def require(self, request: Request, message_id: str) -> User | None:
        """Check that a request may see the event `message_id`.

        Returns:
            The user, who may see the events of their workspaces; None for the holder of its link, who may
            be logged in as well.

        Raises:
            RequestRefused: its link is not valid, or it has none and nobody can log in.
            LoginNeeded: it has no link, and it is unknown who makes the request.
            LedgerUnavailable: the key of the links cannot be read.
        """
        identity = await self._gate.identify(request)
        if identity is not None and identity.user.workspaces is None:
            return identity.user
        try:
            if await self._links.verify(request, message_id):
                return None
        except RequestRefused:
            if identity is None:
                raise
        if identity is not None:
            return identity.user
        if self._gate.rules.users is None:
            raise RequestRefused(Problem.LINK_MISSING)
        raise LoginNeeded("this event is for users who are logged in, or have its link")

    def require_workspace(self, user: User | None, event: Event) -> None:
        """Check that a user may see the events of the workspace of `event`.

        Raises:
            Forbidden: they may not.
        """
        if user is not None and not user.may_see(event.project_id):
            raise Forbidden(f"workspace {event.project_id}")
