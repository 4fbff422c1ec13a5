"""Duplicates that reach the same process: the same event sent twice within minutes, or at the same time."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from ingest.publish import NotDurable

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
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._confirmed: OrderedDict[str, float] = OrderedDict()
        self._under_way: dict[str, asyncio.Future[bool]] = {}

    async def once(self, message_id: str, publish: Callable[[], Awaitable[None]]) -> bool:
        """Publish unless the message was, or is being published by another request.

        Returns:
            Whether this call published it; False for a duplicate of one that is durable.

        Raises:
            NotDurable: it could not be published, here or by the request that this one joined.
        """
        if self._is_confirmed(message_id):
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
            self._confirm(message_id)
        finally:
            del self._under_way[message_id]
            done.set_result(durable)

    def _is_confirmed(self, message_id: str) -> bool:
        at = self._confirmed.get(message_id)
        return at is not None and self._clock() - at < self._seconds

    def _confirm(self, message_id: str) -> None:
        self._confirmed[message_id] = self._clock()
        self._confirmed.move_to_end(message_id)
        if len(self._confirmed) > self._most:
            self._confirmed.popitem(last=False)
