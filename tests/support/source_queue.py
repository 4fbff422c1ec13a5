"""The queue that EventBridge writes to, for tests: declared, written to and looked at with kombu."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from amqp.exceptions import AMQPError
from kombu.connection import Connection
from kombu.exceptions import OperationalError

QUEUE = "eventbridge.events"
CONNECTION_ERRORS = (AMQPError, OperationalError, OSError)
"""Raised when the source does not confirm a message."""


@dataclass(frozen=True, slots=True)
class SourceQueue:
    """A queue.

    Attributes:
        url: of the virtual host.
        name: of the queue.
    """

    url: str
    name: str = QUEUE

    def declare(self, **arguments: Any) -> None:
        """Declare it as a durable queue, by default a quorum queue."""
        with Connection(self.url, connect_timeout=5) as connection, connection.channel() as channel:
            wanted = arguments or {"x-queue-type": "quorum"}
            channel.queue_declare(self.name, durable=True, auto_delete=False, arguments=wanted)

    def delete(self) -> None:
        """Delete it."""
        with Connection(self.url, connect_timeout=5) as connection, connection.channel() as channel:
            channel.queue_delete(self.name)

    def publish(self, *events: object) -> None:
        """Publish events, or bodies, and wait until the source has confirmed each.

        Raises:
            CONNECTION_ERRORS: it does not.
        """
        options = {"confirm_publish": True, "read_timeout": 5, "write_timeout": 5}
        with Connection(self.url, connect_timeout=5, transport_options=options) as connection:
            producer = connection.Producer()
            for event in events:
                body = event if isinstance(event, bytes) else orjson.dumps(event)
                producer.publish(
                    body,
                    exchange="",
                    routing_key=self.name,
                    content_type="application/octet-stream",
                    content_encoding="binary",
                    delivery_mode=2,
                    mandatory=True,
                    timeout=5,
                    confirm_timeout=5,
                )

    def length(self) -> int:
        """Return the number of messages that are ready to be delivered; unacknowledged ones do not count."""
        with Connection(self.url, connect_timeout=5) as connection, connection.channel() as channel:
            return int(channel.queue_declare(self.name, passive=True).message_count)
