"""Deduplication within one process: the same event sent again within minutes, or concurrently."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from cachetools import TTLCache

from ingest.publishers.base import PublishFailed

MAX_IDS = 50_000
RETENTION_SECONDS = 600.0


class PublishDeduplicator:
    """Message ids that were confirmed recently, and those being published.

    This saves work for the broker; the ledger guarantees that an event is checked only once.

    Args:
        max_ids: maximum number of ids that are kept.
        seconds: how long an id is kept.
        clock: monotonic seconds.
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
        """Publish unless the message was published, or is being published by another request.

        Returns:
            Whether this call published it; False if it is a duplicate of a durable message.

        Raises:
            PublishFailed: publishing failed, in this call or in the request that it waited for.
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
