"""The rate limiter on a real Redis: never above the limit, ordered, and close to full use."""

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


def take(limiter: RateLimiter, *, seconds: float = 10, urgent: bool = False, deadline: float = 100) -> Slot:
    now = time.time()
    return limiter.acquire(
        QuotaKind.READ, action="GetNode", urgent=urgent, deadline_at=now + deadline, deadline=now + seconds
    )


def call(limiter: RateLimiter, *, urgent: bool = False, deadline: float = 100) -> None:
    """Make a call that ends immediately."""
    limiter.release(take(limiter, urgent=urgent, deadline=deadline))


def waiting(client: redis.Redis, prefix: str) -> int:
    return int(client.zcard(f"{prefix}quota:read:waiters"))


def until_true(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def crowd(url: str, prefix: str, ready: Barrier, seconds: float) -> None:
    client = connect(url)
    limiter = RateLimiter(client, prefix, read_qps=QPS, write_qps=1)
    ready.wait(60)
    stop = time.time() + seconds

    def run() -> None:
        try:
            while time.time() < stop:
                slot = limiter.acquire(
                    QuotaKind.READ,
                    action="GetNode",
                    urgent=False,
                    deadline_at=time.time() + 30,
                    deadline=stop,
                )
                limiter.release(slot)
        except Throttled:
            return

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def watch_grants(client: redis.Redis, prefix: str, stop: float) -> list[float]:
    """Return the time of each grant, by the server's clock; entries remain for at least a second."""
    seen: dict[Any, float] = {}
    while time.time() < stop:
        entries: Any = client.zrange(f"{prefix}quota:read:grants", 0, -1, withscores=True)
        seen.update(entries)
        time.sleep(0.1)
    return sorted(score / 1e6 for score in seen.values())


def test_many_callers_never_use_more_than_the_quota(client: redis.Redis, redis_url: str, prefix: str) -> None:
    # That they use all of it depends on the load of the machine: `bench.lookups` measures it.
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
    assert len(spans) > QPS, "the callers waited for the quota"
    assert min(spans) >= 1.0, "more than the quota within a second"


def test_a_caller_alone_needs_one_round_trip(client: redis.Redis, prefix: str) -> None:
    limiter = RateLimiter(client, prefix, read_qps=1000, write_qps=1)
    take(limiter)  # loads the script
    before = client.info("commandstats")["cmdstat_evalsha"]["calls"]
    for _ in range(20):
        take(limiter)
    assert client.info("commandstats")["cmdstat_evalsha"]["calls"] - before == 20
    assert waiting(client, prefix) == 0


def test_the_calls_of_a_busy_fleet_are_spread(client: redis.Redis, prefix: str) -> None:
    limiter = RateLimiter(client, prefix, read_qps=QPS, write_qps=1)
    started = time.monotonic()
    for _ in range(QPS // 2):
        call(limiter)
    at_once = QPS // 10
    assert time.monotonic() - started >= (QPS // 2 - at_once) * SPREAD / QPS


def score(client: redis.Redis, prefix: str, slot: Slot) -> float:
    return (client.zscore(f"{prefix}quota:read:grants", slot.ticket) or 0.0) / 1e6


def test_the_grant_of_a_slow_call_is_moved_by_its_extra_duration(client: redis.Redis, prefix: str) -> None:
    limiter = RateLimiter(client, prefix, read_qps=100, write_qps=1)

    def kept(seconds: float) -> float:
        """Return by how much the grant of a call that took `seconds` is moved."""
        slot = take(limiter)
        for key in ("grants", "calls"):
            client.zincrby(f"{prefix}quota:read:{key}", -seconds * 1e6, slot.ticket)
        before = score(client, prefix, slot)
        limiter.release(Slot(slot.kind, slot.action, slot.ticket, time.monotonic() - seconds))
        until_true(lambda: client.zscore(f"{prefix}quota:read:calls", slot.ticket) is None)
        return score(client, prefix, slot) - before

    slack = WINDOW - 1
    for _ in range(MIN_SAMPLES):
        assert kept(0.1) == pytest.approx(0.1 - slack, abs=0.01), "the usual duration is not known yet"
    assert kept(0.1 + slack / 2) == 0, "slightly more than usual changes nothing"
    assert kept(0.5) == pytest.approx(0.4 - slack, abs=0.01)


def test_a_slow_reply_of_redis_frees_no_slot(client: redis.Redis, prefix: str) -> None:
    limiter = RateLimiter(client, prefix, read_qps=100, write_qps=1)
    slot = take(limiter)
    limiter.release(Slot(slot.kind, slot.action, slot.ticket, slot.started_at - 0.4))
    call(limiter)  # reports the release
    call(limiter)
    assert 0 < score(client, prefix, slot) <= time.time()


def test_a_call_in_progress_keeps_its_slot_beyond_the_window(client: redis.Redis, prefix: str) -> None:
    limiter = RateLimiter(client, prefix, read_qps=1, write_qps=1)
    slot = take(limiter)
    with pytest.raises(Throttled):
        take(limiter, seconds=WINDOW + 0.3)
    limiter.release(slot)
    started = time.monotonic()
    take(limiter)
    assert time.monotonic() - started > 0.8, "it may have arrived just before it ended"


def test_calls_that_hang_leave_half_of_the_limit(client: redis.Redis, prefix: str) -> None:
    limiter = RateLimiter(client, prefix, read_qps=4, write_qps=1)
    for _ in range(6):  # none of them ends
        slot = take(limiter)
        for key in ("grants", "calls"):  # it began two seconds ago
            client.zincrby(f"{prefix}quota:read:{key}", -2e6, slot.ticket)
    for _ in range(2):
        take(limiter, seconds=1)
    with pytest.raises(Throttled):
        take(limiter, seconds=0.3)


def test_the_end_of_a_call_is_reported_with_the_next_one_or_soon(client: redis.Redis, prefix: str) -> None:
    limiter = RateLimiter(client, prefix, read_qps=100, write_qps=1)

    def in_progress() -> int:
        return int(client.zcard(f"{prefix}quota:read:calls"))

    for _ in range(5):
        call(limiter)
    assert in_progress() == 1, "the next call carries the report"
    until_true(lambda: in_progress() == 0)


def test_a_call_whose_end_is_never_reported_expires(client: redis.Redis, prefix: str) -> None:
    limiter = RateLimiter(client, prefix, read_qps=1, write_qps=1)
    seconds, micros = client.time()
    client.zadd(f"{prefix}quota:read:calls", {"dead": (seconds - 10) * 10**6 + micros})
    take(limiter, seconds=1)


def test_reads_and_writes_do_not_share(client: redis.Redis, prefix: str) -> None:
    limiter = RateLimiter(client, prefix, read_qps=1, write_qps=1)
    take(limiter)
    soon = time.time() + 0.5
    limiter.acquire(QuotaKind.WRITE, action="UpdateX", urgent=True, deadline_at=soon, deadline=soon)


def test_verdicts_go_first_then_the_earliest_deadline(client: redis.Redis, prefix: str) -> None:
    limiter = RateLimiter(client, prefix, read_qps=2, write_qps=1)
    call(limiter)
    call(limiter)
    order: list[str] = []
    requests = [
        ("far", False, 90),
        ("near", False, 30),
        ("verdict, far", True, 95),
        ("verdict, near", True, 40),
    ]

    def run(name: str, urgent: bool, deadline: float) -> None:
        call(limiter, urgent=urgent, deadline=deadline)
        order.append(name)

    threads = [threading.Thread(target=run, args=request) for request in requests]
    for number, thread in enumerate(threads, 1):
        thread.start()
        until_true(lambda number=number: waiting(client, prefix) == number)  # type: ignore[misc]
    for thread in threads:
        thread.join()
    assert set(order[:2]) == {"verdict, near", "verdict, far"}
    assert set(order[2:]) == {"near", "far"}


def test_a_single_slot_goes_to_the_earliest_deadline(client: redis.Redis, prefix: str) -> None:
    limiter = RateLimiter(client, prefix, read_qps=1, write_qps=1)
    call(limiter)
    order: list[float] = []

    def run(deadline: float) -> None:
        call(limiter, deadline=deadline)
        order.append(deadline)

    threads = [threading.Thread(target=run, args=(deadline,)) for deadline in (90.0, 30.0, 60.0)]
    for number, thread in enumerate(threads, 1):
        thread.start()
        until_true(lambda number=number: waiting(client, prefix) == number)  # type: ignore[misc]
    for thread in threads:
        thread.join()
    assert order == [30.0, 60.0, 90.0]


def test_giving_up_happens_in_time_and_removes_the_waiter(client: redis.Redis, prefix: str) -> None:
    limiter = RateLimiter(client, prefix, read_qps=1, write_qps=1)
    call(limiter)
    started = time.time()
    with pytest.raises(Throttled, match="GetNode: quota: no slot in time; the limit is 1 reads per second"):
        take(limiter, seconds=0.3)
    assert time.time() - started < 0.3 + 0.25
    assert waiting(client, prefix) == 0


def test_no_slot_is_taken_after_the_deadline(client: redis.Redis, prefix: str) -> None:
    limiter = RateLimiter(client, prefix, read_qps=1, write_qps=1)
    with pytest.raises(Throttled):
        take(limiter, seconds=0)
    take(limiter, seconds=0.5)


def test_a_dead_waiter_is_dropped(client: redis.Redis, prefix: str) -> None:
    limiter = RateLimiter(client, prefix, read_qps=1, write_qps=1)
    seconds, micros = client.time()
    client.zadd(f"{prefix}quota:read:waiters", {"dead": 0})
    client.zadd(f"{prefix}quota:read:asked", {"dead": seconds * 10**6 + micros})
    started = time.monotonic()
    take(limiter)
    assert 0.8 < time.monotonic() - started < 3


def test_a_clock_that_was_set_back_blocks_no_call(client: redis.Redis, prefix: str) -> None:
    limiter = RateLimiter(client, prefix, read_qps=1, write_qps=1)
    client.zadd(f"{prefix}quota:read:grants", {"future": (time.time() + 3600) * 1e6})
    take(limiter, seconds=1)


def test_all_keys_expire(client: redis.Redis, prefix: str) -> None:
    limiter = RateLimiter(client, prefix, read_qps=1, write_qps=1)
    call(limiter)
    with pytest.raises(Throttled):
        take(limiter, seconds=0.05)
    until_true(lambda: not list(client.scan_iter(match=f"{prefix}*")))


def test_without_redis_its_error_is_raised(prefix: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = connect(f"redis://127.0.0.1:{unused.getsockname()[1]}/0")
        with pytest.raises(redis.ConnectionError):
            take(RateLimiter(client, prefix, read_qps=1, write_qps=1))
        client.close()


@pytest.mark.parametrize("seconds", [0, 0.0001, 0.1, 3])
def test_a_sleep_is_bounded(seconds: float) -> None:
    assert MIN_SLEEP <= sleep_with_jitter(seconds) <= MAX_SLEEP + 0.01
