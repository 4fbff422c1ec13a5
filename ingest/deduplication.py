"""Duplicates that reach the same process: the same event sent twice within minutes, or at the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from cachetools import TTLCache

from ingest.publishers.base import PublishFailed

MAX_IDS = 50_000
RETENTION_SECONDS = 600.0


class PublishDeduplicator:
    """Message ids that were confirmed a short while ago, and those on their way.

    It spares the broker work; that an event is checked once is the ledger's business.

    Args:
        most: how many ids are kept.
        seconds: for how long.
        clock: seconds on a clock that never goes back.
    """

    def __init__(
        self,
        max_ids: int = MAX_IDS,
        seconds: float = RETENTION_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._confirmed: TTLCache[str, None] = TTLCache(max_ids, seconds, timer=clock)
        self._in_progress: dict[str, asyncio.Future[bool]] = {}

    async def publish_once(self, message_id: str, publish: Callable[[], Awaitable[None]]) -> bool:
        """Publish unless the message was, or is being published by another request.

        Returns:
            Whether this call published it; False for a duplicate of one that is durable.

        Raises:
            NotDurable: it could not be published, here or by the request that this one joined.
        """
        if message_id in self._confirmed:
            return False
        leader = self._in_progress.get(message_id)
        if leader is None:
            await self._publish_first(message_id, publish)
            return True
        if not await asyncio.shield(leader):
            raise PublishFailed("the request that published the same event failed")
        return False

    async def _publish_first(self, message_id: str, publish: Callable[[], Awaitable[None]]) -> None:
        done = asyncio.get_running_loop().create_future()
        self._in_progress[message_id] = done
        durable = False
        try:
            await publish()
            durable = True
            self._confirmed[message_id] = None
        finally:
            del self._in_progress[message_id]
            done.set_result(durable)
