"""The port through which an event becomes durable."""

from __future__ import annotations

from typing import Protocol

from common.errors import DwgateError
from ingest.celery_message import Message

PUBLISH_SECONDS = 2.0
"""The longest a publish may take, waiting for its turn included: the HTTP answer must come within 2.5 s."""

READY_SECONDS = 1.0
"""The longest a look at the broker may take."""


class PublishFailed(DwgateError):
    """The broker did not confirm the message: answer 503, so that the sender tries again."""


class Publisher(Protocol):
    """Publishes messages and returns only when the broker has confirmed them."""

    async def start(self) -> None:
        """Begin to connect. Never fails and never waits: the broker may come later."""

    async def publish(self, message: Message) -> None:
        """Publish `message` durably, within PUBLISH_SECONDS.

        Raises:
            NotDurable: the broker did not confirm in time, or refused. The message may yet arrive.
        """

    async def ready(self) -> bool:
        """Return whether the broker answers now, within READY_SECONDS."""

    async def close(self) -> None:
        """End the connection."""
