"""Who may see an event: the holder of its signed link, and everyone where the console is open."""

from __future__ import annotations

from starlette.requests import Request

from console.web.errors import Problem, RequestRefused
from console.web.settings import ConsoleSettings

LINK = "t"
"""Parameter with the signature of a link."""


class EventAccess:
    """Decides whether a request may see an event.

    Args:
        settings: the console's settings.
    """

    def __init__(self, settings: ConsoleSettings) -> None:
        self._is_open = settings.console_open

    def require(self, request: Request, message_id: str) -> None:  # noqa: ARG002 - see the links
        """Check that a request may see the event `message_id`.

        Raises:
            RequestRefused: it may not.
        """
        if not self._is_open:
            raise RequestRefused(Problem.LINK_MISSING)
