"""Sends Celery events that Celery does not send itself, in a Celery worker and in other processes."""

from __future__ import annotations

import queue
import threading
import time
from typing import Any

import structlog
from celery import Celery, signals
from celery.events import EventDispatcher
from celery.utils.sysinfo import load_average
from celery.worker.state import SOFTWARE_INFO

from workers.recovery.engine_loop import run_until_stopped

MAX_EVENTS = 3000
"""Events kept while the broker is unavailable; further ones are dropped."""

HEARTBEAT_SECONDS = 30.0
"""Seconds between two heartbeats, by which Flower lists the process as a worker."""

log = structlog.get_logger()


class ConsumerEvents:
    """Sends events through the Celery worker of this process, once it is ready."""

    def __init__(self) -> None:
        self._consumer: Any = None
        signals.worker_ready.connect(self._ready, weak=False)

    def _ready(self, sender: Any, **_: Any) -> None:
        self._consumer = sender

    def send_event(self, kind: str, **fields: Any) -> None:
        """Send an event if events of its kind are enabled."""
        # The consumer gets a new dispatcher after each lost connection.
        if dispatcher := self._consumer and self._consumer.event_dispatcher:
            dispatcher.send(kind, **fields)


class EventSender:
    """Sends events in a separate thread, so that an unavailable broker delays no caller.

    It does not know whether events are enabled and always sends them: use it for low rates only.

    Args:
        app: the Celery application.
        hostname: the name of the process in Flower.
    """

    def __init__(self, app: Celery, hostname: str) -> None:
        self._app = app
        self._hostname = hostname
        self._events: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue(MAX_EVENTS)

    def send_event(self, kind: str, **fields: Any) -> None:
        """Queue an event to be sent."""
        try:
            self._events.put_nowait((kind, {"timestamp": time.time(), **fields}))
        except queue.Full:
            log.debug("event_dropped", kind=kind)

    def run(self, stop: threading.Event) -> None:
        """Send queued events until `stop` is set."""
        run_until_stopped(lambda: self._serve(stop), stop, component="event_sender", every=0, pause=5.0)

    def _serve(self, stop: threading.Event) -> None:
        """Send events over one connection."""
        with (
            self._app.connection_for_write() as connection,
            self._app.events.Dispatcher(
                connection, hostname=self._hostname, buffer_while_offline=False
            ) as dispatcher,
        ):
            beat_at = 0.0
            while not stop.is_set():
                if time.monotonic() >= beat_at:
                    dispatcher.send("worker-heartbeat", **_heartbeat())
                    beat_at = time.monotonic() + HEARTBEAT_SECONDS
                try:
                    kind, fields = self._events.get(timeout=1.0)
                except queue.Empty:
                    continue
                self._send(dispatcher, kind, fields)

    def _send(self, dispatcher: EventDispatcher, kind: str, fields: dict[str, Any]) -> None:
        try:
            dispatcher.send(kind, **fields)
        except Exception:
            self.send_event(kind, **fields)  # over the next connection
            raise


def _heartbeat() -> dict[str, Any]:
    return {
        "freq": HEARTBEAT_SECONDS,
        "active": 0,
        "processed": 0,
        "loadavg": load_average(),
        **SOFTWARE_INFO,
    }
