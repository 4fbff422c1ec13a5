"""The waivers: active, expiring, expired and unused."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from common import clock
from common.config_files.errors import ConfigError
from common.ledger import Ledger
from common.ledger.daily_counts import Dimension, day_of
from console.access.users import Role
from console.web.config_files import ConfigFiles
from console.web.pages.console_page import ConsolePages, words_of
from console.web.texts.waivers import WAIVERS
from console.web.views.waivers_view import waivers_view
from workers.waivers.matching import Waivers

USE_DAYS = 30
"""Days whose uses are counted."""


class WaiversPage:
    """The page of waivers.

    Args:
        console: what the pages share.
        files: the policy and the waivers.
    """

    def __init__(self, console: ConsolePages, files: ConfigFiles) -> None:
        self._console = console
        self._files = files

    async def show(self, request: Request) -> Response:
        """Show the page."""
        identity = await self._console.gate.require(request, Role.OPERATOR)
        uses = await self._console.reader.read(_read_uses)
        problem, found = "", None
        try:
            found = await anyio.to_thread.run_sync(self._files.waivers)
        except ConfigError as error:
            problem = str(error)
        words = words_of(request, WAIVERS)
        values = {
            "has_file": self._files.waivers_file is not None,
            "problems": problem.splitlines(),
            "view": waivers_view(found or Waivers(), uses, clock.now(), words),
            "days": USE_DAYS,
        }
        return self._console.render(request, identity, "waivers.html.j2", WAIVERS, values, page="waivers")


def _read_uses(ledger: Ledger) -> Counter[str]:
    last = day_of(clock.now())
    first = last - timedelta(days=USE_DAYS - 1)
    counts = ledger.daily_counts.read(first, last, lambda counter: counter.dimension is Dimension.WAIVER)
    uses: Counter[str] = Counter()
    for item in counts:
        uses[item.counter.value] += item.number
    return uses
