"""The rate limiter on a real Redis: never above the quota, in order, and close to full use."""

from __future__ import annotations

import multiprocessing
import socket
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from typing import Any
from uuid import uuid4

import pytest
import redis

from common.ledger import connect
from workers.dataworks.errors import Throttled
from workers.dataworks.operations import QuotaKind
from workers.dataworks.rate_limiter import (
    MAX_SLEEP,
    MIN_SAMPLES,
    MIN_SLEEP,
    SPREAD,
    WINDOW,
    RateLimiter,
    Slot,
    sleep_with_jitter,
)

PROCESSES, THREADS, QPS, SECONDS = 2, 16, 50, 4.0


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    client = connect(redis_url)
    yield client
    client.close()


@pytest.fixture
def prefix() -> str:
    return f"dwgate:{{{uuid4().hex}}}:"


def take(quota: RateLimiter, *, seconds: float = 10, urgent: bool = False, deadline: float = 100) -> Slot:
    now = time.time()
    return quota.acquire(
        QuotaKind.READ, action="GetNode", urgent=urgent, deadline_at=now + deadline, deadline=now + seconds
    )


def call(quota: RateLimiter, *, urgent: bool = False, deadline: float = 100) -> None:
    """Make a call without duration."""
    quota.release(take(quota, urgent=urgent, deadline=deadline))


def waiting(client: redis.Redis, prefix: str) -> int:
    return int(client.zcard(f"{prefix}quota:read:waiters"))


def until_true(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def crowd(url: str, prefix: str, ready: Barrier, seconds: float) -> None:
    client = connect(url)
    quota = RateLimiter(client, prefix, read_qps=QPS, write_qps=1)
    ready.wait(60)
    stop = time.time() + seconds

    def run() -> None:
        try:
            while time.time() < stop:
                slot = quota.acquire(
                    QuotaKind.READ,
                    action="GetNode",
                    urgent=False,
                    deadline_at=time.time() + 30,
                    deadline=stop,
                )
                quota.release(slot)
        except Throttled:
            return

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def watch_grants(client: redis.Redis, prefix: str, stop: float) -> list[float]:
    """Return the time of each grant by the server's clock; an entry remains for at least a second."""
    seen: dict[Any, float] = {}
    while time.time() < stop:
        entries: Any = client.zrange(f"{prefix}quota:read:grants", 0, -1, withscores=True)
        seen.update(entries)
        time.sleep(0.1)
    return sorted(score / 1e6 for score in seen.values())


def test_a_crowd_uses_the_quota_and_never_more(client: redis.Redis, redis_url: str, prefix: str) -> None:
    context = multiprocessing.get_context("spawn")
    ready, seconds = context.Barrier(PROCESSES + 1), SECONDS + 2
    fleet = [
        context.Process(target=crowd, args=(redis_url, prefix, ready, seconds)) for _ in range(PROCESSES)
    ]
    for process in fleet:
        process.start()
    ready.wait(60)
    grants = watch_grants(client, prefix, time.time() + seconds)
    for process in fleet:
        process.join(20)
        assert process.exitcode == 0
    spans = [later - earlier for earlier, later in zip(grants, grants[QPS:], strict=False)]
    assert min(spans) >= 1.0, "more than the quota within a second"
    took = grants[-1] - grants[-1 - int(QPS * SECONDS)]
    assert took <= SECONDS / 0.95


def test_without_contention_a_slot_takes_one_round_trip(client: redis.Redis, prefix: str) -> None:
    quota = RateLimiter(client, prefix, read_qps=1000, write_qps=1)
    take(quota)  # loads the script
    before = client.info("commandstats")["cmdstat_evalsha"]["calls"]
    for _ in range(20):
        take(quota)
    assert client.info("commandstats")["cmdstat_evalsha"]["calls"] - before == 20
    assert waiting(client, prefix) == 0


def test_a_busy_fleet_s_calls_go_one_by_one(client: redis.Redis, prefix: str) -> None:
    quota = RateLimiter(client, prefix, read_qps=QPS, write_qps=1)
    started = time.monotonic()
    for _ in range(QPS // 2):
        call(quota)
    at_once = QPS // 10
    assert time.monotonic() - started >= (QPS // 2 - at_once) * SPREAD / QPS


def score(client: redis.Redis, prefix: str, slot: Slot) -> float:
    return (client.zscore(f"{prefix}quota:read:grants", slot.ticket) or 0.0) / 1e6


def test_a_slow_call_keeps_its_slot_for_the_additional_time(client: redis.Redis, prefix: str) -> None:
    quota = RateLimiter(client, prefix, read_qps=100, write_qps=1)

    def kept(seconds: float) -> float:
        """Return how much longer the slot of a call of `seconds` is kept."""
        slot = take(quota)
        before = score(client, prefix, slot)
        quota.release(Slot(slot.kind, slot.action, slot.ticket, time.monotonic() - seconds))
        until_true(lambda: client.zscore(f"{prefix}quota:read:calls", slot.ticket) is None)
        return score(client, prefix, slot) - before

    slack = WINDOW - 1
    for _ in range(MIN_SAMPLES):
        assert kept(0.1) == pytest.approx(0.1 - slack, abs=0.01), "the usual duration is not known yet"
    assert kept(0.1 + slack / 2) == 0, "slightly above the usual duration changes nothing"
    assert kept(0.5) == pytest.approx(0.4 - slack, abs=0.01)


def test_a_call_under_way_keeps_its_slot_beyond_the_window(client: redis.Redis, prefix: str) -> None:
    quota = RateLimiter(client, prefix, read_qps=1, write_qps=1)
    slot = take(quota)
    with pytest.raises(Throttled):
        take(quota, seconds=WINDOW + 0.3)
    quota.release(slot)
    started = time.monotonic()
    take(quota)
    assert time.monotonic() - started > 0.8, "it may have arrived just before it ended"


def test_the_end_of_a_call_is_reported_with_the_next_one_or_soon(client: redis.Redis, prefix: str) -> None:
    quota = RateLimiter(client, prefix, read_qps=100, write_qps=1)

    def under_way() -> int:
        return int(client.zcard(f"{prefix}quota:read:calls"))

    for _ in range(5):
        call(quota)
    assert under_way() == 1, "the next call reports the end of the previous ones"
    until_true(lambda: under_way() == 0)


def test_a_call_without_a_reported_end_expires(client: redis.Redis, prefix: str) -> None:
    quota = RateLimiter(client, prefix, read_qps=1, write_qps=1)
    seconds, micros = client.time()
    client.zadd(f"{prefix}quota:read:calls", {"dead": (seconds - 10) * 10**6 + micros})
    take(quota, seconds=1)


def test_reads_and_writes_do_not_share(client: redis.Redis, prefix: str) -> None:
    quota = RateLimiter(client, prefix, read_qps=1, write_qps=1)
    take(quota)
    soon = time.time() + 0.5
    quota.acquire(QuotaKind.WRITE, action="UpdateX", urgent=True, deadline_at=soon, deadline=soon)


def test_verdicts_go_first_then_the_nearest_deadline(client: redis.Redis, prefix: str) -> None:
    quota = RateLimiter(client, prefix, read_qps=2, write_qps=1)
    call(quota)
    call(quota)
    order: list[str] = []
    requests = [
        ("far", False, 90),
        ("near", False, 30),
        ("verdict, far", True, 95),
        ("verdict, near", True, 40),
    ]

    def run(name: str, urgent: bool, deadline: float) -> None:
        call(quota, urgent=urgent, deadline=deadline)
        order.append(name)

    threads = [threading.Thread(target=run, args=request) for request in requests]
    for number, thread in enumerate(threads, 1):
        thread.start()
        until_true(lambda number=number: waiting(client, prefix) == number)  # type: ignore[misc]
    for thread in threads:
        thread.join()
    assert set(order[:2]) == {"verdict, near", "verdict, far"}
    assert set(order[2:]) == {"near", "far"}


def test_one_slot_goes_to_the_nearest_deadline(client: redis.Redis, prefix: str) -> None:
    quota = RateLimiter(client, prefix, read_qps=1, write_qps=1)
    call(quota)
    order: list[float] = []

    def run(deadline: float) -> None:
        call(quota, deadline=deadline)
        order.append(deadline)

    threads = [threading.Thread(target=run, args=(deadline,)) for deadline in (90.0, 30.0, 60.0)]
    for number, thread in enumerate(threads, 1):
        thread.start()
        until_true(lambda number=number: waiting(client, prefix) == number)  # type: ignore[misc]
    for thread in threads:
        thread.join()
    assert order == [30.0, 60.0, 90.0]


def test_a_caller_gives_up_in_time_and_leaves_the_queue(client: redis.Redis, prefix: str) -> None:
    quota = RateLimiter(client, prefix, read_qps=1, write_qps=1)
    call(quota)
    started = time.time()
    with pytest.raises(Throttled, match="GetNode: quota: all 1 reads a second are used up"):
        take(quota, seconds=0.3)
    assert time.time() - started < 0.3 + 0.25
    assert waiting(client, prefix) == 0


def test_a_time_that_has_passed_takes_nothing(client: redis.Redis, prefix: str) -> None:
    quota = RateLimiter(client, prefix, read_qps=1, write_qps=1)
    with pytest.raises(Throttled):
        take(quota, seconds=0)
    take(quota, seconds=0.5)


def test_a_dead_waiter_expires(client: redis.Redis, prefix: str) -> None:
    quota = RateLimiter(client, prefix, read_qps=1, write_qps=1)
    seconds, micros = client.time()
    client.zadd(f"{prefix}quota:read:waiters", {"dead": 0})
    client.zadd(f"{prefix}quota:read:asked", {"dead": seconds * 10**6 + micros})
    started = time.monotonic()
    take(quota)
    assert 0.8 < time.monotonic() - started < 3


def test_a_clock_that_was_set_back_blocks_no_call(client: redis.Redis, prefix: str) -> None:
    quota = RateLimiter(client, prefix, read_qps=1, write_qps=1)
    client.zadd(f"{prefix}quota:read:grants", {"future": (time.time() + 3600) * 1e6})
    take(quota, seconds=1)


def test_nothing_is_left_behind(client: redis.Redis, prefix: str) -> None:
    quota = RateLimiter(client, prefix, read_qps=1, write_qps=1)
    call(quota)
    with pytest.raises(Throttled):
        take(quota, seconds=0.05)
    until_true(lambda: not list(client.scan_iter(match=f"{prefix}*")))


def test_without_redis_its_error_is_raised(prefix: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = connect(f"redis://127.0.0.1:{unused.getsockname()[1]}/0")
        with pytest.raises(redis.ConnectionError):
            take(RateLimiter(client, prefix, read_qps=1, write_qps=1))
        client.close()


@pytest.mark.parametrize("seconds", [0, 0.0001, 0.1, 3])
def test_a_pause_is_bounded(seconds: float) -> None:
    assert MIN_SLEEP <= sleep_with_jitter(seconds) <= MAX_SLEEP + 0.01
