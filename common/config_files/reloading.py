"""A file that is reloaded when it changes, so that running workers use the new policy."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from common.config_files.errors import ConfigError, unreadable
from common.config_files.reading import read_limited
from common.ports import ResultCache

CHECK_SECONDS = 2.0
"""How long a value is used before the file is checked for changes."""

SETTLED_SECONDS = 1.0
"""A file modified more recently may be incomplete; it is read at the next check."""

T = TypeVar("T")

log = structlog.get_logger()


class ReloadableFile(Generic[T]):
    """The value of a file that is checked for changes on use; while it is invalid, the last valid value.

    A change by rename is detected, and so is a change of a symbolic link (a ConfigMap of Kubernetes). Read
    `value` once per unit of work: the next read may return a new one.

    Args:
        path: the file.
        load: returns the value for the path as text and the file's bytes, or raises `ConfigError`.
        name: the file's name in logs (`policy`).
        report: called with whether the file is valid, whenever it was loaded or found invalid.
        last_good_store: shared store of the last valid text, for processes that start while the file is
            invalid.
        every: seconds between two checks.

    Raises:
        ConfigError: the first read fails, and no valid text is stored.
    """

    def __init__(
        self,
        path: Path,
        load: Callable[[str, bytes], T],
        *,
        name: str,
        report: Callable[[bool], None],
        last_good_store: ResultCache | None = None,
        every: float = CHECK_SECONDS,
    ) -> None:
        self._path = path
        self._load = load
        self._name = name
        self._report = report
        self._last_good_store = last_good_store
        self._every = every
        self._check_lock = threading.Lock()
        self._next_check_at = time.monotonic() + every
        self._seen = self._good = b""
        self._fault: str | None = None
        try:
            content, _ = self._read()
            self._accept(load(str(path), content), content)
        except ConfigError as error:
            stored = self._load_last_good()
            if stored is None:
                raise
            self._value = load(str(path), stored)
            self._good = _digest(stored)
            self._reject(b"-", str(error))

    @property
    def value(self) -> T:
        """The last valid value; one thread at a time checks the file if the last check is too old."""
        if time.monotonic() >= self._next_check_at and self._check_lock.acquire(blocking=False):
            try:
                self._check()
            finally:
                self._next_check_at = time.monotonic() + self._every
                self._check_lock.release()
        return self._value

    @property
    def fault(self) -> str | None:
        """Why the file as it is now is rejected, and the last valid value is used; None if it is valid."""
        return self._fault

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes of the last valid value, in hexadecimal."""
        return self._good.hex()

    def _check(self) -> None:
        try:
            content, written_at = self._read()
        except ConfigError as error:
            self._reject(b"", str(error))
            return
        seen = _digest(content)
        # A future time is from another clock and says nothing about the file's age: do not wait for it.
        if seen == self._seen or 0 <= time.time() - written_at < SETTLED_SECONDS:
            return
        try:
            value = self._load(str(self._path), content)
        except Exception as error:  # noqa: BLE001 - any error in the new file keeps the old value
            self._reject(seen, str(error) if isinstance(error, ConfigError) else type(error).__name__)
            return
        if seen != self._good:
            log.info("config_file_reloaded", name=self._name, path=str(self._path))
        self._accept(value, content)

    def _accept(self, value: T, content: bytes) -> None:
        self._value = value
        self._seen = self._good = _digest(content)
        self._fault = None
        if self._last_good_store:
            self._last_good_store.put("file", {"path": str(self._path)}, content.decode("utf-8", "replace"))
        self._report(True)

    def _load_last_good(self) -> bytes | None:
        text = self._last_good_store.get("file", {"path": str(self._path)}) if self._last_good_store else None
        return text.encode() if isinstance(text, str) else None

    def _reject(self, seen: bytes, reason: str) -> None:
        if seen != self._seen:
            log.error("config_file_invalid", name=self._name, path=str(self._path), reason=reason)
            self._report(False)
            self._fault = reason
        self._seen = seen

    def _read(self) -> tuple[bytes, float]:
        """Return the file's bytes and its modification time, in seconds since the epoch."""
        try:
            with self._path.open("rb") as file:
                return read_limited(file), os.fstat(file.fileno()).st_mtime
        except OSError as error:
            raise unreadable(self._path, error, f"the {self._name} file") from None


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
