"""Group commit, with a publisher that confirms when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import orjson
import pytest

from common.events import Event
from ingest import batching
from ingest.batching import MOST_EVENTS, UNDER_WAY, Batches
from ingest.celery_message import Message
from ingest.publishers.base import NotDurable


class Slow:
    """Takes messages, and confirms or refuses each when told."""

    def __init__(self) -> None:
        self.taken: list[list[str]] = []
        self._ends: list[asyncio.Future[None]] = []

    async def publish(self, message: Message) -> None:
        """Take a message; return when it is confirmed."""
        self.taken.append([event["message_id"] for event in orjson.loads(message.body)[0]])
        end = asyncio.get_running_loop().create_future()
        self._ends.append(end)
        await end

    def confirm(self) -> None:
        """Confirm the oldest message."""
        self._ends.pop(0).set_result(None)

    def refuse(self) -> None:
        """Refuse the oldest message."""
        self._ends.pop(0).set_exception(NotDurable("told to"))

    async def start(self) -> None:
        """Nothing to do."""

    async def ready(self) -> bool:
        """Always."""
        return True

    async def close(self) -> None:
        """Nothing to do."""


def event(name: str, padding: int = 0) -> Event:
    return Event(name, "commit-file", 1, "u", True, {"padding": "x" * padding}, 1.0)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def run(test: Callable[[Batches, Slow], Awaitable[None]]) -> None:
    async def main() -> None:
        slow = Slow()
        await test(Batches(slow, lambda _: None), slow)

    asyncio.run(main())


def test_an_event_that_comes_alone_goes_at_once_and_alone() -> None:
    async def check(batches: Batches, slow: Slow) -> None:
        task = asyncio.create_task(batches.publish(event("a")))
        await settle()
        assert slow.taken == [["a"]]
        assert not task.done()
        slow.confirm()
        await task

    run(check)


def test_events_that_come_meanwhile_go_together() -> None:
    async def check(batches: Batches, slow: Slow) -> None:
        names = [f"e{number}" for number in range(UNDER_WAY + MOST_EVENTS + 3)]
        tasks = [asyncio.create_task(batches.publish(event(name))) for name in names]
        await settle()
        assert slow.taken == [[name] for name in names[:UNDER_WAY]]
        slow.confirm()
        await settle()
        assert slow.taken[UNDER_WAY] == names[UNDER_WAY : UNDER_WAY + MOST_EVENTS]
        slow.confirm()
        await settle()
        assert slow.taken[UNDER_WAY + 1] == names[-3:]
        for _ in range(UNDER_WAY):
            slow.confirm()
        await asyncio.gather(*tasks)

    run(check)


def test_a_refusal_is_told_to_each_event_of_the_message_and_to_no_other() -> None:
    async def check(batches: Batches, slow: Slow) -> None:
        tasks = [asyncio.create_task(batches.publish(event(f"e{number}"))) for number in range(UNDER_WAY + 2)]
        await settle()
        slow.confirm()
        await settle()
        for _ in range(UNDER_WAY - 1):
            slow.confirm()
        slow.refuse()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(result, NotDurable) for result in results] == [False] * UNDER_WAY + [True, True]

    run(check)


def test_a_message_does_not_grow_beyond_its_bytes() -> None:
    async def check(batches_: Batches, slow: Slow) -> None:
        first = [asyncio.create_task(batches_.publish(event(f"f{number}"))) for number in range(UNDER_WAY)]
        big = [
            asyncio.create_task(batches_.publish(event(f"b{n}", batching.MOST_BYTES // 2))) for n in range(3)
        ]
        await settle()
        for _ in range(UNDER_WAY + 3):
            slow.confirm()
            await settle()
        await asyncio.gather(*first, *big)
        assert slow.taken[UNDER_WAY:] == [["b0"], ["b1"], ["b2"]]

    run(check)


def test_who_gave_up_is_not_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "PUBLISH_SECONDS", 0.01)

    async def check(batches_: Batches, slow: Slow) -> None:
        tasks = [
            asyncio.create_task(batches_.publish(event(f"e{number}"))) for number in range(UNDER_WAY + 1)
        ]
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, NotDurable) for result in results)
        for _ in range(UNDER_WAY):
            slow.confirm()
        await settle()
        assert len(slow.taken) == UNDER_WAY

    run(check)


def test_too_many_waiting_events_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "MOST_WAITING", 1)

    async def check(batches_: Batches, slow: Slow) -> None:
        tasks = [
            asyncio.create_task(batches_.publish(event(f"e{number}"))) for number in range(UNDER_WAY + 1)
        ]
        await settle()
        with pytest.raises(NotDurable):
            await batches_.publish(event("more"))
        for _ in range(UNDER_WAY + 1):
            slow.confirm()
            await settle()
        await asyncio.gather(*tasks)

    run(check)
