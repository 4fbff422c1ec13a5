"""A Celery consumer that reconnects within seconds, and asks a broker that refuses it less often."""

from __future__ import annotations

import time

import structlog
from celery.worker import consumer
from celery.worker.state import maybe_shutdown
from kombu import Connection

from workers.broker.amqp_transport import REFUSALS

RECONNECT_SECONDS = 3.0
"""Seconds between two attempts to connect. Celery's own default grows to 32, longer than many deadlines."""

REFUSED_SECONDS = 15.0
"""Seconds before the next attempt after a refusal, which only a person can end."""

UNREACHABLE_LOG_SECONDS = 15.0
"""Seconds between two log lines while the broker is unreachable."""

log = structlog.get_logger()


class ConnectingConsumer(consumer.Consumer):  # type: ignore[misc]  # Celery ships no types
    """Celery's consumer with other pauses between attempts, and one log line per pause."""

    _next_line = 0.0

    def ensure_connected(self, conn: Connection) -> Connection:
        """Connect, however long it takes; SIGTERM ends the wait."""
        self.first_connection_attempt = False
        while True:
            try:
                return conn.ensure_connection(
                    self._note_unreachable,
                    interval_start=1.0,
                    interval_step=1.0,
                    interval_max=RECONNECT_SECONDS,
                    callback=maybe_shutdown,
                )
            except REFUSALS as error:
                self._wait_after(error)

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        """Celery's hook."""
        self._note_unreachable(exc, 0)
        self._wait_after(exc)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Celery's hook: the connection is lost, or RabbitMQ refused what was done over it."""
        if isinstance(exc, REFUSALS):
            self._wait_after(exc)
        super().on_connection_error_after_connected(exc)

    def _note_unreachable(self, error: Exception, _: float) -> None:
        if time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + UNREACHABLE_LOG_SECONDS
            log.warning("broker_unreachable", error=type(error).__name__)

    def _wait_after(self, error: Exception) -> None:
        if not isinstance(error, REFUSALS):
            time.sleep(1.0)
            return
        log.error("broker_refused", reason=str(error))
        retry_at = time.monotonic() + REFUSED_SECONDS
        while time.monotonic() < retry_at:
            maybe_shutdown()
            time.sleep(0.2)
