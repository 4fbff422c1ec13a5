"""Duplicates that reach the same process: the same event sent twice within minutes, or at the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from cachetools import TTLCache

from ingest.publishers.base import NotDurable

MOST_IDS = 50_000
KEPT_SECONDS = 600.0


class Recent:
    """Message ids that were confirmed a short while ago, and those on their way.

    It spares the broker work; that an event is checked once is the ledger's business.

    Args:
        most: how many ids are kept.
        seconds: for how long.
        clock: seconds on a clock that never goes back.
    """

    def __init__(
        self,
        most: int = MOST_IDS,
        seconds: float = KEPT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._confirmed: TTLCache[str, None] = TTLCache(most, seconds, timer=clock)
        self._under_way: dict[str, asyncio.Future[bool]] = {}

    async def once(self, message_id: str, publish: Callable[[], Awaitable[None]]) -> bool:
        """Publish unless the message was, or is being published by another request.

        Returns:
            Whether this call published it; False for a duplicate of one that is durable.

        Raises:
            NotDurable: it could not be published, here or by the request that this one joined.
        """
        if message_id in self._confirmed:
            return False
        leader = self._under_way.get(message_id)
        if leader is None:
            await self._lead(message_id, publish)
            return True
        if not await asyncio.shield(leader):
            raise NotDurable("the request that published the same event failed")
        return False

    async def _lead(self, message_id: str, publish: Callable[[], Awaitable[None]]) -> None:
        done = asyncio.get_running_loop().create_future()
        self._under_way[message_id] = done
        durable = False
        try:
            await publish()
            durable = True
            self._confirmed[message_id] = None
        finally:
            del self._under_way[message_id]
            done.set_result(durable)
