"""Who may see an event: the holder of its signed link, and users of the console."""

from __future__ import annotations

from starlette.requests import Request

from common.ledger import EventRecord
from console.access.gate import Forbidden, Gate, LoginNeeded
from console.access.users import User
from console.web.errors import Problem, RequestRefused

LINK = "t"
"""Parameter with the signature of a link."""


class EventAccess:
    """Decides whether a request may see an event.

    Args:
        gate: identifies the users of the console.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def require(self, request: Request, message_id: str) -> User | None:  # noqa: ARG002 - see the links
        """Check that a request may see the event `message_id`.

        Returns:
            The user, who may see the events of their workspaces; None for the holder of its link.

        Raises:
            RequestRefused: it may not, and nobody can log in.
            LoginNeeded: it is nobody who is known.
        """
        identity = await self._gate.identify(request)
        if identity is not None:
            return identity.user
        if self._gate.rules.users is None:
            raise RequestRefused(Problem.LINK_MISSING)
        raise LoginNeeded("this event is for users who are logged in, or have its link")

    def require_workspace(self, user: User | None, record: EventRecord) -> None:
        """Check that a user may see the events of an event's workspace.

        Raises:
            Forbidden: they may not.
        """
        if user is not None and not user.may_see(record.event.project_id):
            raise Forbidden(f"workspace {record.event.project_id}")
