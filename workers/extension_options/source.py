"""What the extension's owner and the workspaces' administrators set in the DataWorks console."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import redis
import structlog

from common.ports import ResultCache
from workers.dataworks.client import DataWorks
from workers.dataworks.errors import DataWorksError
from workers.extension_options import parameters as extension_parameters
from workers.extension_options.parameters import ExtensionParameters

KEEP_SECONDS = 15.0
"""How long an answer is used; the fleet's cache of lookups below it keeps it for a minute."""

RETRY_SECONDS = 15.0
"""How long it is not asked again after a fault."""

WAIT_SECONDS = 1.0
"""How long one event may wait for all of it."""

LAST_KNOWN_SECONDS = 86400
"""How long the fleet remembers an answer, for processes that begin while DataWorks cannot be asked."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ExtensionSettings:
    """What was set in the console.

    Attributes:
        parameters: where the extension is switched off.
        options: the saved form of the workspace, as text; None when there is none.
    """

    parameters: ExtensionParameters = field(default_factory=ExtensionParameters)
    options: str | None = None


EMPTY = ExtensionSettings()
"""Nothing was set, or nothing is known of it: the policy alone holds."""


@dataclass(frozen=True, slots=True)
class _CacheEntry:
    text: str | None
    expires_at: float


class ExtensionSettingsSource:
    """Asks for what was set, and goes on with the last known when DataWorks cannot say. It never fails.

    Args:
        dataworks: DataWorks.
        last_known: answers that the fleet remembers.
    """

    def __init__(self, dataworks: Callable[[], DataWorks], last_known: ResultCache) -> None:
        self._dataworks = dataworks
        self._last_known = last_known
        self._cache: dict[str, _CacheEntry] = {}
        self._fetch_locks = threading.Lock()
        self._read: tuple[str, ExtensionParameters] = ("", ExtensionParameters())

    def for_workspace(self, project_id: int | None, *, options: bool) -> ExtensionSettings:
        """Return what was set for a workspace.

        Args:
            project_id: the workspace; None for none.
            options: whether its saved form is wanted too.
        """
        until = time.time() + WAIT_SECONDS
        parameters = self._cached(
            "extension", lambda: self._dataworks().extension(deadline=until).parameters, until
        )
        saved = None
        if options and project_id is not None:
            saved = self._cached(
                f"options {project_id}",
                lambda: self._dataworks().option_value(project_id, deadline=until),
                until,
            )
        return ExtensionSettings(self._parameters(parameters or ""), saved)

    def _parameters(self, text: str) -> ExtensionParameters:
        if self._read[0] != text:
            read = extension_parameters.parse_parameters(text)
            if read.invalid_lines:
                log.warning("extension-parameters-ignored", lines=read.invalid_lines)
            self._read = text, read
        return self._read[1]

    def _cached(self, what: str, ask: Callable[[], str | None], until: float) -> str | None:
        kept = self._cache.get(what)
        if kept and time.monotonic() < kept.expires_at:
            return kept.text
        # Who has something to go on with does not wait for another thread's answer.
        if not self._fetch_locks.acquire(timeout=0 if kept else max(until - time.time(), 0)):
            return kept.text if kept else self._load_last_known(what)
        try:
            answered = self._cache.get(what)
            if answered is kept:
                answered = self._cache[what] = self._fetch(what, ask, kept)
            return answered.text if answered else None
        finally:
            self._fetch_locks.release()

    def _fetch(self, what: str, ask: Callable[[], str | None], kept: _CacheEntry | None) -> _CacheEntry:
        try:
            text = ask()
        except (DataWorksError, redis.RedisError) as error:
            log.warning("console-not-asked", what=what, error=getattr(error, "code", type(error).__name__))
            return _CacheEntry(
                kept.text if kept else self._load_last_known(what), time.monotonic() + RETRY_SECONDS
            )
        self._last_known.put("console", {"what": what}, {"text": text})
        return _CacheEntry(text, time.monotonic() + KEEP_SECONDS)

    def _load_last_known(self, what: str) -> str | None:
        known = self._last_known.get("console", {"what": what})
        return known.get("text") if isinstance(known, dict) else None
