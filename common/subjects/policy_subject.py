"""The subject of an event for a policy's `where`: node type and names of a file or table."""

from __future__ import annotations

import re
from dataclasses import dataclass

from common.events import Event
from common.extension_points import POINTS
from common.snapshot import Snapshot

TABLE_POINTS = frozenset(
    point.code for point in POINTS if point.code.endswith("-table") and point.has_snapshot
)
"""Extension points with a table: it has names, but no node type."""

FILE_POINTS = frozenset(point.code for point in POINTS if point.has_snapshot) - TABLE_POINTS
"""Extension points with a file, which is the code of a node."""

_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class PolicySubject:
    """The file or table of an operation.

    Attributes:
        type: number of the node type; None for a table, or if unknown.
        names: names of the file or table; empty if unknown.
    """

    type: int | None = None
    names: tuple[str, ...] = ()


def subject_of(event: Event, snapshot: Snapshot | None = None) -> PolicySubject:
    """Return the subject of an event, from its own data and, where that is missing, from its snapshot."""
    file, table = (snapshot.file, snapshot.table) if snapshot else (None, None)
    if event.event_code in FILE_POINTS:
        name = _text(event.data.get("fileName")) or (file.name if file else "")
        number = _number(event.data.get("fileType"))
        return PolicySubject(number if number is not None or file is None else file.file_type, _names(name))
    if event.event_code in TABLE_POINTS:
        name = _text(event.data.get("tableName")) or (table.name if table else "")
        project = _text(event.data.get("maxComputeProject"))
        return PolicySubject(None, _names(name, f"{project}.{name}" if project and name else ""))
    return PolicySubject()


def is_complete(event: Event) -> bool:
    """Whether the event alone has all of its subject, so that no snapshot is needed.

    A recovered event has no data.
    """
    found = subject_of(event)
    if event.event_code in FILE_POINTS:
        return bool(found.names) and found.type is not None
    return bool(found.names) or event.event_code not in TABLE_POINTS


def _names(*names: str) -> tuple[str, ...]:
    return tuple(name for name in names if name)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
