"""Takes notifications from whatever noticed something; it never fails and never waits for a target."""

from __future__ import annotations

from collections.abc import Callable

import redis
import structlog

from workers import metrics
from workers.notifications.model import NotificationRules
from workers.notifications.notification import Notification
from workers.notifications.outbox import Added, Outbox

log = structlog.get_logger()


class NotificationSink:
    """Adds the notifications that the policy wants to the outbox.

    Args:
        rules: returns the rules of the policy in force.
        outbox: returns the outbox.
    """

    def __init__(self, rules: Callable[[], NotificationRules], outbox: Callable[[], Outbox]) -> None:
        self._rules = rules
        self._outbox = outbox

    def add(self, notification: Notification) -> None:
        """Add a notification, unless it goes to nobody or one with its key was added before."""
        if notification.targets is None and not self._rules().wants(
            notification.kind, notification.workspaces
        ):
            return
        try:
            added = self._outbox().add(notification)
        except redis.RedisError as error:
            log.warning("notification_dropped", kind=notification.kind, error=type(error).__name__)
            added = Added.FULL
        else:
            if added is Added.FULL:
                log.warning("notification_dropped", kind=notification.kind, error="the outbox is full")
        if added is Added.FULL:
            metrics.NOTIFICATIONS.labels(notification.kind.value, "dropped").inc()
