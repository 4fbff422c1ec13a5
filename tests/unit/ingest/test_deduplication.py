from __future__ import annotations

import asyncio

import pytest

from ingest.deduplication import PublishDeduplicator
from ingest.publishers.base import PublishFailed


class Broker:
    """Counts publishes, and delays or fails them as configured."""

    def __init__(self) -> None:
        self.published = 0
        self.fails = False
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self) -> None:
        self.published += 1
        await self.open.wait()
        if self.fails:
            raise PublishFailed("unavailable")


def test_a_confirmed_id_is_a_duplicate_until_it_expires() -> None:
    async def main() -> None:
        now = 0.0
        recent = PublishDeduplicator(seconds=10, clock=lambda: now)
        broker = Broker()
        assert await recent.publish_once("a", broker)
        assert not await recent.publish_once("a", broker)
        now = 10.0
        assert await recent.publish_once("a", broker)
        assert broker.published == 2

    asyncio.run(main())


def test_the_number_of_ids_is_limited() -> None:
    async def main() -> None:
        recent = PublishDeduplicator(max_ids=2)
        broker = Broker()
        for message_id in ("a", "b", "c"):
            assert await recent.publish_once(message_id, broker)
        assert not await recent.publish_once("b", broker)
        assert await recent.publish_once("a", broker)

    asyncio.run(main())


@pytest.mark.parametrize("fails", [False, True])
def test_requests_for_the_same_event_share_one_publish_and_its_result(fails: bool) -> None:
    async def main() -> None:
        recent = PublishDeduplicator()
        broker = Broker()
        broker.fails = fails
        broker.open.clear()
        tasks = [asyncio.create_task(recent.publish_once("a", broker)) for _ in range(5)]
        await asyncio.sleep(0)
        broker.open.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert broker.published == 1
        if fails:
            assert all(isinstance(result, PublishFailed) for result in results)
            broker.fails = False
            assert await recent.publish_once("a", broker)
        else:
            assert results == [True, False, False, False, False]

    asyncio.run(main())


def test_a_cancelled_request_leaves_nothing_behind() -> None:
    async def main() -> None:
        recent = PublishDeduplicator()
        broker = Broker()
        broker.open.clear()
        leader, joiner = (asyncio.create_task(recent.publish_once("a", broker)) for _ in range(2))
        await asyncio.sleep(0)
        leader.cancel()
        with pytest.raises(PublishFailed, match=r"^the request that published the same event failed$"):
            await joiner
        broker.open.set()
        assert await recent.publish_once("a", broker)

    asyncio.run(main())
