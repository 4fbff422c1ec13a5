"""Turns SIGTERM and SIGINT into what a process waits for: an event, or without a thread."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def set_on_signals(stop: threading.Event) -> None:
    """Set `stop` at the first SIGTERM or SIGINT; call this in the main thread.

    The handler does not set it: that takes the event's lock, which the interrupted thread may hold, so the
    process would wait for itself and never end. It wakes a thread by `SimpleQueue.put`, which is reentrant by
    Python's documentation.
    """
    received = SimpleQueue[int]()

    def set_at_signal() -> None:
        received.get()
        stop.set()

    threading.Thread(target=set_at_signal, name="stop-signals", daemon=True).start()
    for number in _STOP_SIGNALS:
        signal.signal(number, lambda number, _: received.put(number))


class StopSignals:
    """SIGTERM and SIGINT for a process that forks others, and so must have one thread only.

    Create it in the main thread.
    """

    def __init__(self) -> None:
        self._received, self._write = os.pipe()
        os.set_blocking(self._write, False)
        for number in _STOP_SIGNALS:
            signal.signal(number, self._note)

    def _note(self, *_: object) -> None:
        try:
            os.write(self._write, b"\0")
        except BlockingIOError:
            return  # full of earlier ones

    def wait(self, seconds: float) -> bool:
        """Return whether a signal has come, after at most `seconds`."""
        readable, _, _ = select.select([self._received], [], [], seconds)
        return bool(readable)

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Hold signals back within the block, in which a process is forked, so that the child misses none."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)

    def release_in_child(self) -> None:
        """Let signals end this process, which was forked within `held_back`, as they do by default."""
        for number in _STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        os.close(self._received)
        os.close(self._write)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
