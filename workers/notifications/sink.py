"""Takes notifications from whatever noticed something; it never fails and never waits for a target."""

from __future__ import annotations

from collections.abc import Callable

import redis
import structlog

from common.config_files.errors import ConfigError
from workers import metrics
from workers.notifications.model import NotificationEnd, NotificationKind, NotificationRules
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
        try:
            added = self._outbox().add(notification) if self._is_wanted(notification) else Added.KNOWN
            reason = "the outbox is full"
        except (redis.RedisError, ConfigError) as error:
            added, reason = Added.FULL, type(error).__name__
        if added is Added.FULL:
            log.warning("notification_dropped", kind=notification.kind, error=reason)
            count_end(notification.kind, NotificationEnd.DROPPED)

    def _is_wanted(self, notification: Notification) -> bool:
        if notification.targets is not None:
            return True
        return self._rules().wants(notification.kind, notification.workspaces)


def count_end(kind: NotificationKind, end: NotificationEnd, number: int = 1) -> None:
    """Count how a notification to one or more targets ended."""
    metrics.NOTIFICATIONS.labels(kind.value, end.value).inc(number)
