"""Whether the threads of a process make progress."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.support.running_dwgate import wait_for
from workers import progress


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count a step as late at once."""
    monkeypatch.setattr(progress, "SLOW_AFTER", 0.0)
    monkeypatch.setattr(progress, "COMPUTING_SECONDS", 0.02)


@contextmanager
def in_step(work: Callable[[threading.Event], None], *, may_wait: bool) -> Iterator[float]:
    """Run `work` as a step of another thread, until the block ends; yield when it had started."""
    stop, running = threading.Event(), threading.Event()

    def target() -> None:
        with progress.step(may_wait=may_wait):
            running.set()
            work(stop)

    thread = threading.Thread(target=target)
    thread.start()
    assert running.wait(10)
    try:
        yield time.monotonic()
    finally:
        stop.set()
        thread.join(10)


def waits(stop: threading.Event) -> None:
    stop.wait(60)


def computes(stop: threading.Event) -> None:
    while not stop.is_set():
        pass


def is_stalled(since: float) -> bool:
    return progress.last_progress() <= since


def test_an_idle_process_makes_progress() -> None:
    before = time.monotonic()
    assert progress.last_progress() >= before


def test_a_step_that_may_wait_and_waits_makes_progress() -> None:
    with in_step(waits, may_wait=True) as started:
        wait_for(lambda: time.monotonic() > started + 0.1)
        assert not is_stalled(started)


@pytest.mark.parametrize("may_wait", [True, False])
def test_a_step_that_computes_makes_none(may_wait: bool) -> None:
    with in_step(computes, may_wait=may_wait) as started:
        wait_for(lambda: is_stalled(started))
    assert not is_stalled(started)


def test_a_step_that_never_waits_makes_none_while_it_waits() -> None:
    with in_step(waits, may_wait=False) as started:
        assert is_stalled(started)


def test_a_lookup_is_progress() -> None:
    def looks_up(stop: threading.Event) -> None:
        while not stop.is_set():
            progress.mark()

    with in_step(looks_up, may_wait=True) as started:
        wait_for(lambda: time.monotonic() > started + 0.1)
        assert not is_stalled(started)


def test_the_end_of_an_inner_step_is_progress_of_the_outer_one() -> None:
    with progress.step(may_wait=False):
        with progress.step(may_wait=False):
            inside = time.monotonic()
        assert not is_stalled(inside)


def test_a_step_that_raises_has_ended() -> None:
    with pytest.raises(ValueError, match="for the test"), progress.step(may_wait=False):
        raise ValueError("for the test")
    before = time.monotonic()
    assert progress.last_progress() >= before
