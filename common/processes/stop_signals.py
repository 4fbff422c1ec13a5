"""Turns SIGTERM and SIGINT into an event that threads wait for."""

from __future__ import annotations

import signal
import threading
from queue import SimpleQueue


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
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: received.put(number))
