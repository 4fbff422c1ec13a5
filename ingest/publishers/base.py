"""The port for publishing events durably."""

from __future__ import annotations

from typing import Protocol

from common.errors import DwgateError
from ingest.celery_message import Message

PUBLISH_SECONDS = 2.0
"""Maximum seconds of a publish, including the wait in the batcher: the HTTP response is due within 2.5 s."""

READY_SECONDS = 1.0
"""Maximum seconds of a readiness check."""


class PublishFailed(DwgateError):
    """The broker did not confirm the message: the sender must deliver it again."""


class Publisher(Protocol):
    """Publishes messages; returns only after the broker has confirmed them."""

    async def start(self) -> None:
        """Start to connect. Never fails and never waits: the broker may start later."""

    async def publish(self, message: Message) -> None:
        """Publish `message` durably, within PUBLISH_SECONDS.

        Raises:
            PublishFailed: the broker did not confirm in time, or rejected it. The message may still arrive.
        """

    async def ready(self) -> bool:
        """Whether the broker responds within READY_SECONDS."""

    async def close(self) -> None:
        """Close the connection."""
