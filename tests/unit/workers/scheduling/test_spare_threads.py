"""Threads that work on the events of one message side by side."""

from __future__ import annotations

import threading

import pytest
import structlog

from workers.scheduling.spare_threads import MAX_THREADS, SpareThreads


@pytest.fixture
def threads() -> SpareThreads:
    return SpareThreads()


def test_items_are_worked_on_at_the_same_time(threads: SpareThreads) -> None:
    together = threading.Barrier(4)

    def work(_: int) -> None:
        together.wait(10)

    threads.run(work, range(4))
    assert threads.active == 0


def test_they_start_in_their_order(threads: SpareThreads) -> None:
    started: list[int] = []
    threads.run(started.append, range(1000))
    assert started[0] == 0
    assert sorted(started) == [*range(1000)]


def test_a_single_item_needs_no_other_thread(threads: SpareThreads) -> None:
    used: list[threading.Thread] = []
    threads.run(lambda _: used.append(threading.current_thread()), [1])
    assert used == [threading.current_thread()]
    threads.run(lambda _: pytest.fail("no item"), [])


def test_an_exception_is_raised_when_the_others_are_done(threads: SpareThreads) -> None:
    done: list[int] = []

    def work(item: int) -> None:
        if item in (2, 5):
            raise ValueError(item)
        done.append(item)

    with pytest.raises(ValueError, match=r"^[25]$"):
        threads.run(work, range(8))
    assert sorted(done) == [0, 1, 3, 4, 6, 7]


def test_the_calling_thread_works_while_no_other_is_free(threads: SpareThreads) -> None:
    release, occupied = threading.Event(), threading.Semaphore(0)

    def block(_: int) -> None:
        occupied.release()
        release.wait(20)

    blocking = threading.Thread(target=threads.run, args=(block, range(MAX_THREADS + 1)))
    blocking.start()
    for _ in range(MAX_THREADS + 1):
        assert occupied.acquire(timeout=10)
    assert threads.active == MAX_THREADS
    done: list[int] = []
    threads.run(done.append, range(3))
    assert done == [0, 1, 2]
    assert threads.active == MAX_THREADS
    release.set()
    blocking.join(10)
    assert threads.active == 0


def test_the_task_does_not_wait_for_a_thread_that_ended_with_an_exit(threads: SpareThreads) -> None:
    together = threading.Barrier(2)

    def work(_: int) -> None:
        together.wait(10)
        if threading.current_thread() is not threading.main_thread():
            raise SystemExit(3)

    with pytest.raises(SystemExit):
        threads.run(work, range(2))
    assert threads.active == 0


def test_without_a_further_thread_the_calling_one_works_alone(
    threads: SpareThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    done: list[int] = []
    threads.run(done.append, range(3))
    assert done == [0, 1, 2]


def test_other_threads_log_with_the_context_of_the_task(threads: SpareThreads) -> None:
    together, contexts = threading.Barrier(2), []

    def work(_: int) -> None:
        together.wait(10)
        contexts.append(structlog.contextvars.get_contextvars())

    with structlog.contextvars.bound_contextvars(task="intake"):
        threads.run(work, range(2))
    assert contexts == [{"task": "intake"}, {"task": "intake"}]
