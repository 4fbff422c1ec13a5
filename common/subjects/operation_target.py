"""What an operation works on, for people: the file, node or table, its type and its owner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from common.events import Event
from common.impact_graph import ImpactGraph
from common.snapshot import Snapshot
from common.subjects import policy_subject
from common.subjects.event_subject import items_of
from common.subjects.node_types import name_of_type
from common.verdicts import Subject, SubjectKind


@dataclass(frozen=True, slots=True)
class OperationTarget:
    """What an operation works on.

    Attributes:
        subject: its file; without one its node or table, the first of several. None if it names none.
        more_subjects: number of further objects of the same kind.
        node_type: name of the node type (`odps_sql`), or its number if it has no name; None if unknown.
        owner: UID of the owner of the file or node; None if unknown.
        file_id: id of the file; None if it has none.
    """

    subject: Subject | None = None
    more_subjects: int = 0
    node_type: str | None = None
    owner: str | None = None
    file_id: str | None = None

    def complete(self, graphs: Iterable[ImpactGraph]) -> OperationTarget:
        """Return the target with the name and owner of its node from graphs of dependents, if it has none."""
        subject = self.subject
        if subject is None or (subject.name and self.owner):
            return self
        for node in (node for graph in graphs for node in graph.changed if node.id == subject.id):
            name = subject.name or (node.name if node.name != node.id else None)
            return replace(self, subject=replace(subject, name=name), owner=self.owner or node.owner)
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the target as plain JSON."""
        return {
            "subject": self.subject.to_json() if self.subject else None,
            "more_subjects": self.more_subjects,
            "node_type": self.node_type,
            "owner": self.owner,
            "file_id": self.file_id,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> OperationTarget:
        """Return the target that `to_json` serialized."""
        subject = raw["subject"]
        return cls(
            Subject.from_json(subject) if subject else None,
            raw["more_subjects"],
            raw["node_type"],
            raw["owner"],
            raw["file_id"],
        )


def target_of(event: Event, snapshot: Snapshot | None = None) -> OperationTarget:
    """Return what an operation works on, from its event and then from its snapshot."""
    items = items_of(event, snapshot)
    if not items:
        return OperationTarget()
    kind = items[0].kind
    file = snapshot.file if snapshot else None
    number = policy_subject.subject_of(event, snapshot).type
    return OperationTarget(
        items[0],
        sum(item.kind is kind for item in items) - 1,
        None if number is None else name_of_type(number),
        _uid(event.data.get("fileOwner")) or (file.owner if file else None) or None,
        items[0].id if kind is SubjectKind.FILE else None,
    )


def _uid(value: object) -> str | None:
    is_id = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value) if value and is_id else None
