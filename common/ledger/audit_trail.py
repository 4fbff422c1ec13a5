"""The audit trail: who changed what, when and why, in a bounded stream of Redis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

import orjson
import redis

_SCRIPTS = Path(__file__).parent / "scripts"
_PAGE = 500
_MAX_LENGTH = 500
"""Characters of a field; longer ones are cut."""


class AuditAction(StrEnum):
    """What an entry is about.

    A waiver is added or expired by a command. A policy or waivers file is changed when the workers use
    another one than before. A dead event is answered when a verdict is posted for it after all. A rerun
    differs when a requeued event would have got another result than the one that DataWorks accepted. A policy
    is replayed, and logins are made and refused, in the console.
    """

    REQUEUE = "requeue"
    WAIVER_ADDED = "waiver-added"
    WAIVER_EXPIRED = "waiver-expired"
    POLICY_CHANGED = "policy-changed"
    WAIVERS_CHANGED = "waivers-changed"
    DEAD_ANSWERED = "dead-answered"
    RERUN_DIFFERS = "rerun-differs"
    POLICY_REPLAYED = "policy-replayed"
    LOGIN = "login"
    LOGIN_REFUSED = "login-refused"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry. Every text is one line of printable characters.

    Attributes:
        actor: the user and host of a command, the user of the console, or the worker process; of a refused
            login the address.
        action: what was done: an `AuditAction`, or what a newer version recorded.
        subject: the event, waiver, file or user.
        reason: why, as given by the actor; for a file, which of its items changed.
        old: SHA-256 of the file before, in hexadecimal; empty if there is none.
        new: the same, after.
        at: when, in seconds since the epoch, by the clock of Redis; 0 before it is recorded.
    """

    actor: str
    action: str
    subject: str
    reason: str = ""
    old: str = ""
    new: str = ""
    at: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the entry as JSON; empty fields are null."""
        return {
            "at": self.at,
            "actor": self.actor,
            "action": str(self.action),
            "subject": self.subject,
            "reason": self.reason or None,
            "old": self.old or None,
            "new": self.new or None,
        }

    def to_arguments(self) -> tuple[str, ...]:
        """Return the entry as arguments of the scripts."""
        texts = self.actor, str(self.action), self.subject, self.reason, self.old, self.new
        return tuple(map(one_line, texts))


@dataclass(frozen=True, slots=True)
class FileState:
    """What is known of a configuration file that the fleet uses.

    Attributes:
        digest: SHA-256 of its bytes, in hexadecimal.
        items: a digest of each of its items by id; empty for a file without items.
    """

    digest: str
    items: Mapping[str, str]


class AuditTrail:
    """The audit trail of one extension.

    Args:
        client: a Redis client that returns bytes.
        prefix: prefix of the extension's keys.
    """

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self.key = f"{prefix}audit"
        self._files = f"{prefix}files"
        prelude = (_SCRIPTS / "audit_entry.lua").read_text()
        self._record = client.register_script(prelude + (_SCRIPTS / "audit_record.lua").read_text())
        self._change = client.register_script(prelude + (_SCRIPTS / "audit_file.lua").read_text())

    def record(self, entry: AuditEntry) -> None:
        """Record an entry."""
        self._record(keys=[self.key], args=entry.to_arguments())

    def record_file(self, actor: str, action: AuditAction, file: str, state: FileState) -> bool:
        """Record that the fleet uses another version of a file, unless that is recorded already.

        Args:
            actor: the process that uses it.
            action: what to record.
            file: its name, `policy` or `waivers`.
            state: its state.

        Returns:
            Whether an entry was recorded.
        """
        after = orjson.dumps(
            {"digest": state.digest, "items": dict(state.items)}, option=orjson.OPT_SORT_KEYS
        )
        while True:
            before = cast("bytes | None", self._client.hget(self._files, file)) or b""
            old = FileState(**orjson.loads(before)) if before else FileState("", {})
            if old.digest == state.digest:
                return False
            entry = AuditEntry(actor, action, file, describe_change(old, state), old.digest, state.digest)
            arguments: list[str | bytes] = [file, before, after, *entry.to_arguments()]
            if self._change(keys=[self.key, self._files], args=arguments):
                return True

    def entries(self, since: float = 0.0) -> Iterator[AuditEntry]:
        """Yield the entries, oldest first.

        Args:
            since: of the first one, in seconds since the epoch.
        """
        start = str(max(int(since * 1000), 0))
        while True:
            page = cast(
                "list[tuple[bytes, dict[bytes, bytes]]]", self._client.xrange(self.key, start, "+", _PAGE)
            )
            for id_, fields in page:
                yield _entry(id_, fields)
            if len(page) < _PAGE:
                return
            start = f"({page[-1][0].decode()}"


def describe_change(old: FileState, new: FileState) -> str:
    """Return which items of a file were added, changed and removed; empty for a file without items."""
    parts = {
        "added": sorted(new.items.keys() - old.items.keys()),
        "changed": sorted(id_ for id_, item in new.items.items() if old.items.get(id_, item) != item),
        "removed": sorted(old.items.keys() - new.items.keys()),
    }
    return "; ".join(f"{what} {', '.join(ids)}" for what, ids in parts.items() if ids)


def one_line(text: str) -> str:
    """Return a text as one line of printable characters, shortened."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(plain.split())[:_MAX_LENGTH]


def _entry(id_: bytes, raw: dict[bytes, bytes]) -> AuditEntry:
    # Another program with access to Redis can write anything here: every text is cleaned again.
    fields = {
        key.decode(errors="replace"): one_line(value.decode(errors="replace")) for key, value in raw.items()
    }
    return AuditEntry(
        actor=fields.get("actor", ""),
        action=fields.get("action", ""),
        subject=fields.get("subject", ""),
        reason=fields.get("reason", ""),
        old=fields.get("old", ""),
        new=fields.get("new", ""),
        at=int(id_.partition(b"-")[0]) / 1000,
    )
