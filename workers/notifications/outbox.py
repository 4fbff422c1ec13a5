"""The outbox: notifications in Redis until they are sent, each once, at most MAX_WAITING of them.

It is no queue of the broker: a notification that the broker is down must not need the broker.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import redis

from workers.notifications.model import NotificationKind
from workers.notifications.notification import Notification

MAX_WAITING = 1000
"""Notifications that wait at a time; further ones are dropped."""

REPEAT_SECONDS = 8 * 86400.0
"""How long the key of a notification is remembered: longer than the week of a weekly report."""

LEASE_SECONDS = 120.0
"""How long a process may take to send a notification to all its targets, before another one does."""

WINDOW_SECONDS = 600.0
MAX_IN_WINDOW = 20
"""A target gets at most so many notifications in a window; a robot of DingTalk takes 20 a minute."""

_LEFT_OUT_SECONDS = 86400.0
_SCRIPTS = Path(__file__).parent


class Added(IntEnum):
    """What became of a notification that was added to the outbox."""

    FULL = -1
    KNOWN = 0
    WAITING = 1


@dataclass(frozen=True, slots=True)
class Slot:
    """Whether a target may receive a notification now, and how many it has missed since its last one."""

    is_free: bool
    left_out: int = 0


class Outbox:
    """The notifications of a fleet. Times are of the server's clock.

    Args:
        client: a Redis client that returns bytes.
        prefix: of the extension's keys.
    """

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._prefix = f"{prefix}notifications:"
        self._waiting = f"{self._prefix}waiting"
        self._add = client.register_script((_SCRIPTS / "outbox_add.lua").read_text())
        self._lease = client.register_script((_SCRIPTS / "outbox_lease.lua").read_text())
        self._settle = client.register_script((_SCRIPTS / "outbox_settle.lua").read_text())
        self._slot = client.register_script((_SCRIPTS / "outbox_slot.lua").read_text())

    def add(self, notification: Notification) -> Added:
        """Add a notification, unless one of its kind with the same key was added before."""
        keys = [self._known(notification.kind, notification.key), self._waiting]
        entry = notification.to_entry()
        return Added(self._add(keys=keys, args=[entry, _milliseconds(REPEAT_SECONDS), MAX_WAITING]))

    def is_known(self, kind: NotificationKind, key: str) -> bool:
        """Whether a notification with this key was added before."""
        return bool(self._client.exists(self._known(kind, key)))

    def lease(self, number: int) -> list[bytes]:
        """Lease up to `number` entries that are due; after LEASE_SECONDS they are due again."""
        leased = self._lease(keys=[self._waiting], args=[number, _milliseconds(LEASE_SECONDS)])
        return [bytes(entry) for entry in leased]

    def remove(self, entry: bytes) -> None:
        """Remove an entry: it is sent, or given up."""
        self._client.zrem(self._waiting, entry)

    def retry_later(self, entry: bytes, rest: Notification, seconds: float) -> None:
        """Replace an entry by what is left of it, which is due after `seconds`."""
        self._settle(keys=[self._waiting], args=[entry, rest.to_entry(), _milliseconds(seconds)])

    def take_slot(self, target: str) -> Slot:
        """Count a notification for a target; its slot is not free if it had too many."""
        keys = [f"{self._prefix}rate:{target}", f"{self._prefix}left-out:{target}"]
        arguments = [MAX_IN_WINDOW, _milliseconds(WINDOW_SECONDS), _milliseconds(_LEFT_OUT_SECONDS)]
        is_free, left_out = self._slot(keys=keys, args=arguments)
        return Slot(bool(is_free), int(left_out))

    def _known(self, kind: NotificationKind, key: str) -> str:
        return f"{self._prefix}known:{kind}:{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
