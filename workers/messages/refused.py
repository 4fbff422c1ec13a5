"""Keeps what cannot be read with the rejects of the ledger."""

from __future__ import annotations

import structlog

from workers import metrics
from workers.services import Services

log = structlog.get_logger()


def refuse(services: Services, queue: str, content: bytes, reason: str) -> None:
    """Store the content of a message, count it and log the reason.

    Args:
        services: of this process.
        queue: where it came from, one of `QueueName` or `other`.
        content: the message or the part of it that cannot be read.
        reason: what is wrong with it, without its content.

    Raises:
        redis.RedisError: it was not stored.
    """
    log.error("message_refused", queue=queue, reason=reason)
    metrics.MESSAGES_REFUSED.labels(queue).inc()
    services.ledger.reject(content, reason)
