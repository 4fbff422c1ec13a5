"""Sends Celery events that Celery does not send itself, in a Celery worker and in other processes."""

from __future__ import annotations

import threading
import time
from typing import Any

from celery import Celery, signals
from celery.utils.sysinfo import load_average
from celery.worker.state import SOFTWARE_INFO

HEARTBEAT_SECONDS = 30.0
"""Seconds between two heartbeats, by which Flower lists the process as a worker."""


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


class ProcessEvents:
    """Sends events of a process that is no Celery worker.

    It does not know whether events are enabled and always sends them: use it for low rates only.

    Args:
        app: the Celery application.
        hostname: the name of the process in Flower.
    """

    def __init__(self, app: Celery, hostname: str) -> None:
        self._dispatcher = app.events.Dispatcher(hostname=hostname)

    def send_event(self, kind: str, **fields: Any) -> None:
        """Send an event; never waits."""
        self._dispatcher.send(kind, **{"timestamp": time.time(), **fields})

    def send_heartbeats(self, stop: threading.Event) -> None:
        """Send heartbeats until `stop` is set."""
        while True:
            self.send_event(
                "worker-heartbeat",
                freq=HEARTBEAT_SECONDS,
                active=0,
                processed=0,
                loadavg=load_average(),
                **SOFTWARE_INFO,
            )
            if stop.wait(HEARTBEAT_SECONDS):
                return
