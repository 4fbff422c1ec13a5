"""The workspaces in which the extension is enabled; DataWorks sends events of others, too.

A workspace's distribution channel delivers the events of every extension point, whichever extension waits for
a verdict, or none (help page "Enable OpenEvent"). An event of a workspace in which the extension is not
enabled belongs to another extension.

Two answers of different weight: "enabled" is remembered by the process and by the fleet, since at worst an
event is judged needlessly. "Not enabled" leads to no verdict at all, so it counts only if DataWorks said so
after the event had arrived: the first operation after an administrator enabled the extension is answered.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
import structlog

from common import clock
from common.extension_points import BY_CODE, Level
from common.ports import ResultCache
from workers.dataworks.client import DataWorks
from workers.dataworks.errors import DataWorksError

ENABLED_SECONDS = 600
"""How long the fleet uses an answer "enabled" without asking again."""

REMEMBERED_SECONDS = 86400
"""How long the fleet remembers it: meanwhile no event waits for a new answer, which is fetched beside it."""

KEEP_SECONDS = 60.0
"""How long a process uses an answer without looking into the shared store."""

RETRY_SECONDS = 15.0
"""How long the extension counts as enabled after a failed query."""

WAIT_SECONDS = 1.0
"""How long one event may wait for an answer."""

REFRESH_SECONDS = 10.0
"""Time limit of a query for which no event waits."""

_OPERATION = "enabled"

log = structlog.get_logger()

Key = tuple[str, int]
"""Event code and workspace."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """Whether the extension is enabled.

    Attributes:
        asked_at: when the query started, in seconds since the epoch.
        expires_at: on the monotonic clock, in seconds.
    """

    is_enabled: bool
    asked_at: float
    expires_at: float

    def counts(self, known_since: float) -> bool:
        """Whether it may be used for what happened at `known_since`, in seconds since the epoch."""
        if self.is_enabled:
            return time.monotonic() < self.expires_at
        return self.asked_at >= known_since


class EnabledWorkspaces:
    """Answers whether the extension is enabled; it never fails.

    Args:
        dataworks: returns the DataWorks client.
        shared: the fleet's store, which keeps entries for REMEMBERED_SECONDS: when DataWorks said "enabled",
            in seconds since the epoch; 0 if it said "not enabled" later.
    """

    def __init__(self, dataworks: Callable[[], DataWorks], shared: ResultCache) -> None:
        self._dataworks = dataworks
        self._shared = shared
        self._answers: dict[Key, _Answer] = {}
        self._locks: dict[Key, threading.Lock] = {}
        self._refreshing: set[Key] = set()

    def is_enabled(self, event_code: str, project_id: int | None, *, known_since: float) -> bool:
        """Whether the extension may have to answer an event.

        True also if DataWorks cannot be asked, and for events of the tenant level, which is not enabled per
        workspace.

        Args:
            event_code: its extension point.
            project_id: its workspace; None if it names none.
            known_since: when dwgate learned of it, in seconds since the epoch; an older "not enabled" does
                not count.
        """
        if project_id is None or BY_CODE[event_code].level is Level.TENANT:
            return True
        key = event_code, project_id
        if answer := self._find(key, known_since):
            return answer.is_enabled
        # One query serves all events that wait for it.
        lock = self._locks.setdefault(key, threading.Lock())
        if not lock.acquire(timeout=WAIT_SECONDS):
            return True
        try:
            answer = self._find(key, known_since)
            if answer is None:
                answer = self._answers[key] = self._load(key)
            return answer.is_enabled
        finally:
            lock.release()

    def _find(self, key: Key, known_since: float) -> _Answer | None:
        answer = self._answers.get(key)
        return answer if answer and answer.counts(known_since) else None

    def _load(self, key: Key) -> _Answer:
        now = clock.now()
        if asked_at := self._shared.get(_OPERATION, _arguments(key)):
            if now - float(asked_at) > ENABLED_SECONDS and key not in self._refreshing:
                self._refreshing.add(key)
                threading.Thread(target=self._refresh, args=(key,), daemon=True).start()
            return _Answer(is_enabled=True, asked_at=now, expires_at=time.monotonic() + KEEP_SECONDS)
        return self._ask(key, WAIT_SECONDS) or _Answer(
            is_enabled=True, asked_at=now, expires_at=time.monotonic() + RETRY_SECONDS
        )

    def _refresh(self, key: Key) -> None:
        """Ask again; after a fault the answer that is remembered stays."""
        try:
            if answer := self._ask(key, REFRESH_SECONDS):
                with self._locks[key]:  # the caller may not have stored the older one yet
                    self._answers[key] = answer
        finally:
            self._refreshing.discard(key)

    def _ask(self, key: Key, seconds: float) -> _Answer | None:
        """Ask DataWorks, and remember the answer; None if there is none in time."""
        now = clock.now()
        try:
            is_enabled = self._query(*key, now + seconds)
        except (DataWorksError, redis.RedisError) as error:
            log.warning("enabled_extensions_unavailable", error=getattr(error, "code", type(error).__name__))
            return None
        if is_enabled or self._shared.get(_OPERATION, _arguments(key)):
            self._shared.put(_OPERATION, _arguments(key), now if is_enabled else 0)
        return _Answer(is_enabled, now, time.monotonic() + KEEP_SECONDS)

    def _query(self, event_code: str, project_id: int, deadline: float) -> bool:
        dataworks = self._dataworks()
        if dataworks.enabled_extensions(event_code, project_id, deadline=deadline):
            return True
        # Before an extension is published, it is active in its test workspace, where it need not be enabled.
        return dataworks.extension(deadline=deadline).test_project_id == project_id


def _arguments(key: Key) -> dict[str, str | int]:
    return {"event_code": key[0], "project_id": key[1]}
