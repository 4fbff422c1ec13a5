"""The subject of an event: the operation, and the files, nodes and tables that it affects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from common.events import Event
from common.json_types import Json
from common.snapshot import Snapshot
from common.verdicts import Finding, Subject, SubjectKind, limit_subjects

_NODE_LISTS = ("nodeIds", "includeNodeIds")


@dataclass(frozen=True, slots=True)
class EventSubject:
    """The subject of the findings of one check on one event.

    Attributes:
        check: the check.
        point: event code of the extension point; None outside any extension point.
        project: the workspace; None if unknown.
        items: the operation's files, nodes and tables, as named by the event and the snapshot.
    """

    check: str
    point: str | None = None
    project: int | None = None
    items: tuple[Subject, ...] = ()

    def complete(self, finding: Finding) -> Finding:
        """Return `finding` with the event's items of every kind for which it has no subject of its own.

        A subject that the event also names gets the event's name for it as a further name.
        """
        names = {item.key: item.name for item in self.items}
        own = [_also_known_as(item, names.get(item.key)) for item in finding.subjects]
        kinds = {item.kind for item in own}
        subjects = limit_subjects((*own, *(item for item in self.items if item.kind not in kinds)))
        return finding if subjects == finding.subjects else replace(finding, subjects=subjects)


def _also_known_as(subject: Subject, name: str | None) -> Subject:
    if not name or name in subject.names:
        return subject
    if not subject.name:
        return replace(subject, name=name)
    return replace(subject, aliases=(*subject.aliases, name))


def subject_of(check: str, event: Event, snapshot: Snapshot | None) -> EventSubject:
    """Return the subject of the findings of `check` on an event."""
    return EventSubject(check, event.event_code, event.project_id, items_of(event, snapshot))


def items_of(event: Event, snapshot: Snapshot | None) -> tuple[Subject, ...]:
    """Return the files, then the nodes, then the tables that an event's operation works on."""
    found = snapshot or Snapshot()
    items = (
        _subject(SubjectKind.FILE, *_file(event.data, found)),
        *(_subject(SubjectKind.NODE, *node) for node in _nodes(event.data, found)),
        *(_subject(SubjectKind.TABLE, *table) for table in _tables(event.data, found)),
    )
    return limit_subjects(item for item in items if item is not None)


def _subject(kind: SubjectKind, id_: object, name: object) -> Subject | None:
    id_text, name_text = _text(id_), _text(name)
    return Subject(kind, id_text, name_text) if id_text or name_text else None


def _text(value: object) -> str | None:
    # Values in an event may have any type.
    return str(value) if value and isinstance(value, str | int) and not isinstance(value, bool) else None


def _file(data: Json, snapshot: Snapshot) -> tuple[object, object]:
    file = snapshot.file
    return (data.get("fileId") or (file and file.file_id), data.get("fileName") or (file and file.name))


def _nodes(data: Json, snapshot: Snapshot) -> Iterator[tuple[object, object]]:
    name = data.get("fileName") or (snapshot.file and snapshot.file.name)
    if node := data.get("nodeId") or (snapshot.file and snapshot.file.node_id):
        yield (node, name)
    yield (data.get("rootNodeId"), None)
    for key in _NODE_LISTS:
        several = data.get(key)
        yield from ((item, None) for item in several) if isinstance(several, list) else ()
    # Instances and data integration jobs are identified by the names of what they run, comma-separated.
    if isinstance(several := data.get("extensionBizName"), str):
        yield from ((None, item.strip()) for item in several.split(","))


def _tables(data: Json, snapshot: Snapshot) -> Iterator[tuple[object, object]]:
    name = data.get("tableName") or (snapshot.table and snapshot.table.name)
    project = data.get("maxComputeProject")
    yield (f"odps.{project}.{name}", f"{project}.{name}") if project and name else (None, name)
    target = data.get("target")
    for holder in (data, target if isinstance(target, dict) else {}):
        if isinstance(guid := holder.get("tableGuid"), str):
            yield (guid, None)
