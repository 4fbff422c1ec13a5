"""The signed links of tips: who has one may see its event without an account."""

from __future__ import annotations

from starlette.requests import Request

from common import clock
from common.ledger import Ledger
from common.settings import Settings
from common.signed_links import PARAMETER, LinkCheck, verify
from console.web.errors import Problem, RequestRefused
from console.web.ledger_reader import LedgerReader
from workers.services import find_link_key

_PROBLEMS = {LinkCheck.EXPIRED: Problem.LINK_EXPIRED, LinkCheck.ALTERED: Problem.LINK_ALTERED}


class EventLinks:
    """Verifies links.

    Args:
        settings: may have the key.
        reader: reads the key that the fleet has generated otherwise.
    """

    def __init__(self, settings: Settings, reader: LedgerReader) -> None:
        self._settings = settings
        self._reader = reader
        self._key: bytes | None = None

    async def verify(self, request: Request, message_id: str) -> bool:
        """Return whether a request has the link of the event `message_id`; False if it has no link at all.

        Raises:
            RequestRefused: its link has expired, or dwgate did not make it for this event.
            LedgerUnavailable: the key cannot be read.
        """
        token = request.query_params.get(PARAMETER)
        if token is None:
            return False
        found = LinkCheck.ALTERED
        if key := await self._find_key():
            found = verify(key, message_id, token, clock.now())
        if found in _PROBLEMS:
            raise RequestRefused(_PROBLEMS[found])
        return True

    async def _find_key(self) -> bytes | None:
        """Return the key, which never changes; None as long as nothing was signed."""
        if self._key is None:

            def find(ledger: Ledger) -> bytes | None:
                return find_link_key(self._settings, ledger)

            self._key = await self._reader.read(find)
        return self._key
