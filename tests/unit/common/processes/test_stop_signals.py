"""Signals that end a process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from common.processes.stop_signals import set_on_signals

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    handlers = [(number, signal.getsignal(number)) for number in SIGNALS]
    yield
    for number, handler in handlers:
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_sets_the_event(number: signal.Signals) -> None:
    stop = threading.Event()
    set_on_signals(stop)
    assert not stop.is_set()
    signal.raise_signal(number)
    assert stop.wait(10)


def test_a_signal_that_interrupts_the_wait_does_not_block_the_process() -> None:
    """While the main thread waits, it holds the event's lock again and again."""
    stop = threading.Event()
    set_on_signals(stop)
    with stop._cond:  # type: ignore[attr-defined]
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        assert not stop.is_set()
    assert stop.wait(10)
