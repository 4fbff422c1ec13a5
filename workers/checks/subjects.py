"""Subjects of findings: nodes, tables and columns in one form, so that waivers and fingerprints match."""

from __future__ import annotations

from collections.abc import Iterable

from common.verdicts import Subject, SubjectKind, table_subject
from workers.dataworks.models import Node


def node_subjects(nodes: Iterable[Node]) -> tuple[Subject, ...]:
    """Return nodes as subjects."""
    return tuple(Subject(SubjectKind.NODE, str(node.id), node.name or None) for node in nodes)


def column_subjects(table: str, columns: Iterable[str]) -> tuple[Subject, ...]:
    """Return columns as subjects, after their table."""
    owner = table_subject(table)
    return (
        owner,
        *(
            Subject(SubjectKind.COLUMN, f"{owner.id or owner.name}.{name.lower()}", f"{owner.name}.{name}")
            for name in columns
        ),
    )


def named_subjects(kind: SubjectKind, *names: str) -> tuple[Subject, ...]:
    """Return objects that are known by name only; empty names are omitted."""
    return tuple(Subject(kind, name=name) for name in names if name)
