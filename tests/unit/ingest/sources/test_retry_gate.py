from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from itertools import pairwise

import pytest

from ingest.metrics import Cause
from ingest.receiver import Unavailable
from ingest.sources.retry_gate import RetryGate


class Engine:
    """An engine that is down at first; it records the attempts to use it."""

    def __init__(self) -> None:
        self.is_down = True
        self.attempts: list[float] = []
        self.at_once = 0
        self.most_at_once = 0

    async def use(self) -> str:
        self.attempts.append(time.monotonic())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0 if self.is_down else 0.05)
        self.at_once -= 1
        if self.is_down:
            raise Unavailable(Cause.BROKER)
        return "done"


def run(test: Callable[[Engine], Coroutine[None, None, None]]) -> None:
    asyncio.run(test(Engine()))


def test_one_of_many_tries_at_a_time_and_all_follow_when_it_succeeds() -> None:
    async def test(engine: Engine) -> None:
        gate = RetryGate(min_pause=0.01, max_pause=0.02)
        waiting = [asyncio.create_task(gate.repeat(engine.use)) for _ in range(50)]
        await asyncio.sleep(0.2)
        assert 2 <= len(engine.attempts) <= 20
        assert engine.most_at_once == 1
        engine.is_down = False
        async with asyncio.timeout(5):
            assert await asyncio.gather(*waiting) == ["done"] * 50
        assert engine.most_at_once > 10

    run(test)


def test_the_pause_grows_up_to_its_limit_and_starts_again_after_a_success() -> None:
    async def test(engine: Engine) -> None:
        gate = RetryGate(min_pause=0.01, max_pause=0.04)
        started = time.monotonic()
        waiting = asyncio.create_task(gate.repeat(engine.use))
        while len(engine.attempts) < 8:  # noqa: ASYNC110 - the engine sends no event
            await asyncio.sleep(0.001)
        gaps = [after - before for before, after in pairwise([started, *engine.attempts])]
        assert all(gap > pause * 0.99 for gap, pause in zip(gaps, (0.01, 0.02, 0.04, 0.04), strict=False))
        assert gaps[7] < 1.28, "without the limit"
        engine.is_down = False
        await waiting
        assert gate._pause == 0.01

    run(test)


def test_one_that_is_cancelled_leaves_its_turn_to_the_next() -> None:
    async def test(engine: Engine) -> None:
        gate = RetryGate(min_pause=0.01, max_pause=0.01)
        first, second = (asyncio.create_task(gate.repeat(engine.use)) for _ in range(2))
        await asyncio.sleep(0.005)
        first.cancel()
        engine.is_down = False
        async with asyncio.timeout(5):
            assert await second == "done"
        with pytest.raises(asyncio.CancelledError):
            await first

    run(test)
