"""The settings made in the DataWorks console by the extension's owner and by workspace administrators."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import redis
import structlog

from common import clock
from common.ports import ResultCache
from workers.dataworks.client import DataWorks
from workers.dataworks.errors import DataWorksError
from workers.extension_options import parameters as extension_parameters
from workers.extension_options.parameters import ExtensionParameters

KEEP_SECONDS = 15.0
"""How long a response is used; the shared lookup cache below keeps it for a minute."""

STALE_SECONDS = 45.0
"""How much longer it is used while a new one is fetched beside the events that need it."""

RETRY_SECONDS = 15.0
"""Delay before the next attempt after a fault."""

WAIT_SECONDS = 1.0
"""How long one event may wait for all its settings."""

LAST_KNOWN_SECONDS = 86400
"""How long Redis keeps the last response, for processes that start while DataWorks is unavailable."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ExtensionSettings:
    """The settings made in the console.

    Attributes:
        parameters: where the extension is disabled.
        options: the saved option form of the workspace, as text; None if there is none.
    """

    parameters: ExtensionParameters = field(default_factory=ExtensionParameters)
    options: str | None = None


EMPTY = ExtensionSettings()
"""No settings, or none known: only the policy applies."""


@dataclass(frozen=True, slots=True)
class _CacheEntry:
    text: str | None
    expires_at: float


class ExtensionSettingsSource:
    """Fetches the settings; falls back to the last known ones if DataWorks is unavailable. It never fails.

    Args:
        dataworks: returns the DataWorks client.
        last_known: the shared store of the last responses.
    """

    def __init__(self, dataworks: Callable[[], DataWorks], last_known: ResultCache) -> None:
        self._dataworks = dataworks
        self._last_known = last_known
        self._cache: dict[str, _CacheEntry] = {}
        self._fetch_lock = threading.Lock()
        self._parsed: tuple[str, ExtensionParameters] = ("", ExtensionParameters())

    def for_workspace(self, project_id: int | None, *, options: bool) -> ExtensionSettings:
        """Return the settings of a workspace.

        Args:
            project_id: the workspace; None for events without one.
            options: whether to fetch its saved option form too.
        """
        deadline = clock.now() + WAIT_SECONDS
        parameters = self._cached(
            "extension", lambda: self._dataworks().extension(deadline=deadline).parameters, deadline
        )
        saved = None
        if options and project_id is not None:
            saved = self._cached(
                f"options {project_id}",
                lambda: self._dataworks().option_value(project_id, deadline=deadline),
                deadline,
            )
        return ExtensionSettings(self._parameters(parameters or ""), saved)

    def _parameters(self, text: str) -> ExtensionParameters:
        if self._parsed[0] != text:
            parsed = extension_parameters.parse_parameters(text)
            if parsed.invalid_lines:
                log.warning("extension_parameters_ignored", lines=parsed.invalid_lines)
            self._parsed = text, parsed
        return self._parsed[1]

    def _cached(self, key: str, fetch: Callable[[], str | None], deadline: float) -> str | None:
        kept, now = self._cache.get(key), time.monotonic()
        if kept and now < kept.expires_at:
            return kept.text
        if kept and now < kept.expires_at + STALE_SECONDS:
            if self._fetch_lock.acquire(blocking=False):
                threading.Thread(target=self._refresh, args=(key, fetch, kept), daemon=True).start()
            return kept.text
        # If a cached value exists, do not block on the lock: another thread fetches the new one.
        if not self._fetch_lock.acquire(timeout=0 if kept else max(deadline - clock.now(), 0)):
            return kept.text if kept else self._load_last_known(key)
        try:
            entry = self._cache.get(key)
            if entry is kept:
                entry = self._cache[key] = self._fetch(key, fetch, kept)
            return entry.text if entry else None
        finally:
            self._fetch_lock.release()

    def _refresh(self, key: str, fetch: Callable[[], str | None], kept: _CacheEntry) -> None:
        """Replace an entry; releases the lock that the caller acquired."""
        try:
            self._cache[key] = self._fetch(key, fetch, kept)
        finally:
            self._fetch_lock.release()

    def _fetch(self, key: str, fetch: Callable[[], str | None], kept: _CacheEntry | None) -> _CacheEntry:
        try:
            text = fetch()
        except (DataWorksError, redis.RedisError) as error:
            log.warning(
                "extension_settings_unavailable", key=key, error=getattr(error, "code", type(error).__name__)
            )
            return _CacheEntry(
                kept.text if kept else self._load_last_known(key), time.monotonic() + RETRY_SECONDS
            )
        self._last_known.put("console", {"what": key}, {"text": text})
        return _CacheEntry(text, time.monotonic() + KEEP_SECONDS)

    def _load_last_known(self, key: str) -> str | None:
        known = self._last_known.get("console", {"what": key})
        return known.get("text") if isinstance(known, dict) else None
