"""Group commit, with a publisher whose confirms the test controls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import orjson
import pytest

from common.events import Event
from ingest import batching
from ingest.batching import MAX_BATCH_EVENTS, MAX_CONCURRENT_SENDS, EventBatcher
from ingest.celery_message import Message
from ingest.publishers.base import PublishFailed


class Slow:
    """Accepts messages; the test confirms or rejects each."""

    def __init__(self) -> None:
        self.messages: list[list[str]] = []
        self._ends: list[asyncio.Future[None]] = []

    async def publish(self, message: Message) -> None:
        """Accept a message; return when it is confirmed."""
        self.messages.append([event["message_id"] for event in orjson.loads(message.body)[0]])
        end = asyncio.get_running_loop().create_future()
        self._ends.append(end)
        await end

    def confirm(self) -> None:
        """Confirm the oldest message."""
        self._ends.pop(0).set_result(None)

    def reject(self) -> None:
        """Reject the oldest message."""
        self._ends.pop(0).set_exception(PublishFailed("rejected"))

    async def start(self) -> None:
        """Do nothing."""

    async def ready(self) -> bool:
        """Return True."""
        return True

    async def close(self) -> None:
        """Do nothing."""


def event(name: str, padding: int = 0) -> Event:
    return Event(name, "commit-file", 1, "u", True, {"padding": "x" * padding}, 1.0)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def run(test: Callable[[EventBatcher, Slow], Awaitable[None]]) -> None:
    async def main() -> None:
        slow = Slow()
        await test(EventBatcher(slow, lambda _: None), slow)

    asyncio.run(main())


def test_a_single_event_is_sent_at_once() -> None:
    async def check(batches: EventBatcher, slow: Slow) -> None:
        task = asyncio.create_task(batches.publish(event("a")))
        await settle()
        assert slow.messages == [["a"]]
        assert not task.done()
        slow.confirm()
        await task

    run(check)


def test_events_that_arrive_meanwhile_are_sent_together() -> None:
    async def check(batches: EventBatcher, slow: Slow) -> None:
        names = [f"e{number}" for number in range(MAX_CONCURRENT_SENDS + MAX_BATCH_EVENTS + 3)]
        tasks = [asyncio.create_task(batches.publish(event(name))) for name in names]
        await settle()
        assert slow.messages == [[name] for name in names[:MAX_CONCURRENT_SENDS]]
        slow.confirm()
        await settle()
        assert (
            slow.messages[MAX_CONCURRENT_SENDS]
            == names[MAX_CONCURRENT_SENDS : MAX_CONCURRENT_SENDS + MAX_BATCH_EVENTS]
        )
        slow.confirm()
        await settle()
        assert slow.messages[MAX_CONCURRENT_SENDS + 1] == names[-3:]
        for _ in range(MAX_CONCURRENT_SENDS):
            slow.confirm()
        await asyncio.gather(*tasks)

    run(check)


def test_a_rejection_fails_the_events_of_its_message_only() -> None:
    async def check(batches: EventBatcher, slow: Slow) -> None:
        tasks = [
            asyncio.create_task(batches.publish(event(f"e{number}")))
            for number in range(MAX_CONCURRENT_SENDS + 2)
        ]
        await settle()
        slow.confirm()
        await settle()
        for _ in range(MAX_CONCURRENT_SENDS - 1):
            slow.confirm()
        slow.reject()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(result, PublishFailed) for result in results] == [False] * MAX_CONCURRENT_SENDS + [
            True,
            True,
        ]

    run(check)


def test_a_message_does_not_grow_beyond_its_bytes() -> None:
    async def check(batches_: EventBatcher, slow: Slow) -> None:
        first = [
            asyncio.create_task(batches_.publish(event(f"f{number}")))
            for number in range(MAX_CONCURRENT_SENDS)
        ]
        big = [
            asyncio.create_task(batches_.publish(event(f"b{n}", batching.MAX_BATCH_BYTES // 2)))
            for n in range(3)
        ]
        await settle()
        for _ in range(MAX_CONCURRENT_SENDS + 3):
            slow.confirm()
            await settle()
        await asyncio.gather(*first, *big)
        assert slow.messages[MAX_CONCURRENT_SENDS:] == [["b0"], ["b1"], ["b2"]]

    run(check)


def test_a_cancelled_event_is_not_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "PUBLISH_SECONDS", 0.01)

    async def check(batches_: EventBatcher, slow: Slow) -> None:
        tasks = [
            asyncio.create_task(batches_.publish(event(f"e{number}")))
            for number in range(MAX_CONCURRENT_SENDS + 1)
        ]
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, PublishFailed) for result in results)
        for _ in range(MAX_CONCURRENT_SENDS):
            slow.confirm()
        await settle()
        assert len(slow.messages) == MAX_CONCURRENT_SENDS

    run(check)


def test_too_many_waiting_events_are_rejected_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "MAX_WAITING_EVENTS", 1)

    async def check(batches_: EventBatcher, slow: Slow) -> None:
        tasks = [
            asyncio.create_task(batches_.publish(event(f"e{number}")))
            for number in range(MAX_CONCURRENT_SENDS + 1)
        ]
        await settle()
        with pytest.raises(PublishFailed):
            await batches_.publish(event("more"))
        for _ in range(MAX_CONCURRENT_SENDS + 1):
            slow.confirm()
            await settle()
        await asyncio.gather(*tasks)

    run(check)
