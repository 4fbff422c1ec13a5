"""Sends Celery's events and the replies to remote control in a thread of its own.

Celery sends both in the event loop that consumes tasks, and replies over the connection that consumes them.
While RabbitMQ blocks publishers, that loop would wait for the end of the alarm, and so would a worker that
starts (celery 10386). None of these messages is worth the time of a task: none is confirmed, and the oldest
ones are dropped if there are too many.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

import structlog
from celery import Celery
from celery.app.control import Control
from celery.app.events import Events
from celery.events.dispatcher import EventDispatcher
from kombu import Exchange, Producer
from kombu.exceptions import EncodeError
from kombu.pidbox import Mailbox

from workers import progress
from workers.recovery.engine_loop import run_until_stopped

MAX_MESSAGES = 3000
"""Messages kept while the broker takes none; then the oldest one is dropped for each new one."""

POLL_SECONDS = 1.0

log = structlog.get_logger()


class BackgroundSender:
    """Sends messages that may be lost, over a connection of its own.

    Args:
        app: the Celery application.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._messages: deque[dict[str, Any]] = deque(maxlen=MAX_MESSAGES)
        self._has_messages = threading.Event()

    def send(self, **message: Any) -> None:
        """Queue a message; its fields are the arguments of `kombu.Producer.publish`. Never waits."""
        self._messages.append(message)
        self._has_messages.set()

    def run(self, stop: threading.Event) -> None:
        """Send queued messages until `stop` is set, and then those that are left if the broker takes them."""
        run_until_stopped(lambda: self._serve(stop), stop, component="background_sender", every=0, pause=5.0)

    def _serve(self, stop: threading.Event) -> None:
        """Send messages over one connection."""
        unconfirmed = {"confirm_publish": False}
        with self._app.connection_for_write(transport_options=unconfirmed) as connection:
            connection.connect()
            producer = Producer(connection, auto_declare=False)
            while self._messages or not stop.is_set():
                progress.mark()
                if self._messages:
                    self._send(producer, self._messages.popleft())
                elif self._has_messages.wait(POLL_SECONDS):
                    self._has_messages.clear()

    def _send(self, producer: Producer, message: dict[str, Any]) -> None:
        try:
            producer.publish(**message)
        except EncodeError as error:
            # No connection takes it, and those behind it must not wait for ever.
            log.warning(
                "message_not_encodable", exchange=str(message["exchange"]), error=type(error).__name__
            )
        except Exception:
            self._messages.append(message)  # over the next connection
            producer.connection.collect()  # to close it in order would wait for a broker that does not read
            raise


class BackgroundDispatcher(EventDispatcher):  # type: ignore[misc]  # Celery ships no types
    """Celery's dispatcher of events, which hands them to the sender of the application."""

    def _publish(self, event: Any, producer: Any, routing_key: str, **_: Any) -> None:
        if producer is None:
            return
        self.app.background_sender.send(
            body=event,
            routing_key=routing_key,
            exchange=self.exchange.name,
            declare=[self.exchange],
            serializer=self.serializer,
            headers=self.headers,
            delivery_mode=self.delivery_mode,
        )


class BackgroundEvents(Events):  # type: ignore[misc]
    """Celery's events with that dispatcher."""

    dispatcher_cls = BackgroundDispatcher


class ReplyingMailbox(Mailbox):  # type: ignore[misc]
    """Celery's mailbox of remote control, which hands its replies to the sender of the application."""

    sender: BackgroundSender

    def _publish_reply(
        self, reply: Any, exchange: str, routing_key: str, ticket: str, *_: Any, serializer: str, **__: Any
    ) -> None:
        target = Exchange(exchange, exchange_type="direct", delivery_mode="transient", durable=False)
        self.sender.send(
            body=reply,
            routing_key=routing_key,
            exchange=target,
            declare=[target],
            serializer=serializer,
            headers={"ticket": ticket, "clock": self.clock.forward()},
        )


class BackgroundControl(Control):  # type: ignore[misc]
    """Celery's remote control with that mailbox."""

    Mailbox = ReplyingMailbox

    def __init__(self, app: Celery) -> None:
        super().__init__(app)
        self.mailbox.sender = app.background_sender
