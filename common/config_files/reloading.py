"""A file that is read again when it changes, so that a policy reaches workers that run."""

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
from common.ports import ResultCache

CHECK_SECONDS = 2.0
"""How long a value is used before the file is looked at again."""

SETTLED_SECONDS = 1.0
"""A file that was written to more recently may be half written; it is left for the next look."""

T = TypeVar("T")

log = structlog.get_logger()


class ReloadableFile(Generic[T]):
    """What a file holds, looked at again when it is used; the last good value stays while it is broken.

    A change by rename counts, and so does one of a symbolic link on the way (a ConfigMap of Kubernetes).
    Take the value once for one piece of work: the next one may be another.

    Args:
        path: the file.
        load: makes the value from the path as text and the file's bytes, or raises `ConfigError`.
        name: what logs call it (`policy`).
        report: called with whether the file is valid whenever it was loaded or found invalid.
        memory: where the fleet keeps the last good text, for a process that begins while the file is broken.
        every: seconds between two looks.

    Raises:
        ConfigError: the first read fails, and no good text is remembered.
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
        try:
            content, _ = self._read()
            self._accept(load(str(path), content), content)
        except ConfigError as error:
            remembered = self._load_last_good()
            if remembered is None:
                raise
            self._value = load(str(path), remembered)
            self._good = _digest(remembered)
            self._reject(b"-", str(error))

    @property
    def value(self) -> T:
        """The last good value; the file is looked at when the last look is old, by one thread of all."""
        if time.monotonic() >= self._next_check_at and self._check_lock.acquire(blocking=False):
            try:
                self._check()
            finally:
                self._next_check_at = time.monotonic() + self._every
                self._check_lock.release()
        return self._value

    def _check(self) -> None:
        try:
            content, written_at = self._read()
        except ConfigError as error:
            self._reject(b"", str(error))
            return
        seen = _digest(content)
        # A time to come is that of another clock: it tells nothing, and the file must not wait for it.
        if seen == self._seen or 0 <= time.time() - written_at < SETTLED_SECONDS:
            return
        try:
            value = self._load(str(self._path), content)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the new file, the old one holds
            self._reject(seen, str(error) if isinstance(error, ConfigError) else type(error).__name__)
            return
        if seen != self._good:
            log.info("file-reloaded", name=self._name, path=str(self._path))
        self._accept(value, content)

    def _accept(self, value: T, content: bytes) -> None:
        self._value = value
        self._seen = self._good = _digest(content)
        if self._last_good_store:
            self._last_good_store.put("file", {"path": str(self._path)}, content.decode("utf-8", "replace"))
        self._report(True)

    def _load_last_good(self) -> bytes | None:
        text = self._last_good_store.get("file", {"path": str(self._path)}) if self._last_good_store else None
        return text.encode() if isinstance(text, str) else None

    def _reject(self, seen: bytes, why: str) -> None:
        if seen != self._seen:
            log.error("file-refused", name=self._name, path=str(self._path), why=why)
            self._report(False)
        self._seen = seen

    def _read(self) -> tuple[bytes, float]:
        """Return the file's bytes, and when it was written to, in seconds since the epoch."""
        try:
            with self._path.open("rb") as file:
                return file.read(), os.fstat(file.fileno()).st_mtime
        except OSError as error:
            raise unreadable(self._path, error, f"the {self._name} file") from None


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
