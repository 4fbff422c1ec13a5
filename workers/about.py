"""What an outcome is about: the check, the operation, and the files, nodes and tables it works on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from common.events import Event, Json
from common.snapshot import Snapshot

_NODE_LISTS = ("nodeIds", "includeNodeIds")
_NODES = ("nodeId", "rootNodeId")


@dataclass(frozen=True, slots=True)
class Thing:
    """A file, node or table and every name that it is known by, the surest first."""

    names: tuple[str, ...]

    def named_in(self, text: str) -> bool:
        """Whether `text` names it as a whole word."""
        return any(re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", text) for name in self.names)


@dataclass(frozen=True, slots=True)
class About:
    """What an outcome is about.

    Attributes:
        check: the check.
        point: event code of the extension point; None outside of any.
        project: the workspace; None when it is not known.
        files: the files that the operation works on, so far as event and snapshot tell.
        nodes: its nodes.
        tables: its tables.
    """

    check: str
    point: str | None = None
    project: int | None = None
    files: tuple[Thing, ...] = ()
    nodes: tuple[Thing, ...] = ()
    tables: tuple[Thing, ...] = ()


def about(check: str, event: Event, snapshot: Snapshot | None) -> About:
    """Return what an outcome of `check` is about."""
    found = snapshot or Snapshot()
    return About(
        check,
        event.event_code,
        event.project_id,
        files=_things(_file(event.data, found)),
        nodes=_things(*_nodes(event.data, found)),
        tables=_things(_table(event.data, found), *_guids(event.data)),
    )


def named(things: tuple[Thing, ...], text: str) -> tuple[Thing, ...]:
    """Return those of `things` that `text` names; all of them when it names none."""
    return tuple(thing for thing in things if thing.named_in(text)) or things


def _things(*names: tuple[object, ...]) -> tuple[Thing, ...]:
    """Return a thing for each tuple that has a name; the same thing once."""
    plain = (tuple(str(name) for name in each if _names(name)) for each in names)
    return tuple(Thing(each) for each in dict.fromkeys(plain) if each)


def _names(value: object) -> bool:
    # An event's values may be of any type.
    return bool(value) and isinstance(value, str | int) and not isinstance(value, bool)


def _file(data: Json, snapshot: Snapshot) -> tuple[object, ...]:
    file = snapshot.file
    return (data.get("fileId") or (file and file.file_id), data.get("fileName") or (file and file.name))


def _nodes(data: Json, snapshot: Snapshot) -> Iterator[tuple[object, ...]]:
    name = data.get("fileName") or (snapshot.file and snapshot.file.name)
    if node := data.get("nodeId") or (snapshot.file and snapshot.file.node_id):
        yield (node, name)
    for key in _NODES[1:]:
        yield (data.get(key),)
    for key in _NODE_LISTS:
        several = data.get(key)
        yield from ((item,) for item in several) if isinstance(several, list) else ()
    # Instances and data integration jobs are told by the name of what they run, several with commas.
    if isinstance(several := data.get("extensionBizName"), str):
        yield from ((item.strip(),) for item in several.split(","))


def _table(data: Json, snapshot: Snapshot) -> tuple[object, ...]:
    name = data.get("tableName") or (snapshot.table and snapshot.table.name)
    project = data.get("maxComputeProject")
    return (f"{project}.{name}", name) if project and name else (name,)


def _guids(data: Json) -> Iterator[tuple[object, ...]]:
    target = data.get("target")
    for holder in (data, target if isinstance(target, dict) else {}):
        if isinstance(guid := holder.get("tableGuid"), str):
            parts = guid.split(".")
            yield tuple(".".join(parts[first:]) for first in range(len(parts)))
