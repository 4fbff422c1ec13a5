"""The file of a node: whether it has code to check, its language, and the project of unqualified names."""

from __future__ import annotations

from common.events import Event
from common.snapshot import FileSnapshot
from review.content.node_script import NodeScript, node_script
from review.dialects import Dialect, has_script
from workers.checks import event_fields
from workers.checks.api import Context, SkipCheck

MAXCOMPUTE = frozenset({Dialect.MAXCOMPUTE, Dialect.PYTHON, Dialect.SHELL, Dialect.DI})
"""Languages with MaxCompute tables, whose lineage, columns and writers DataWorks knows by name."""

_DELETED = ("DELETE", "2", 2)
"""The change type of a deletion: a word in the file detail, a number in the event."""


def committed_file(context: Context) -> FileSnapshot:
    """Return the file of the operation.

    Raises:
        SkipCheck: there is none, or it is deleted.
    """
    file = context.snapshot.file
    if is_deletion(context.event, file):
        raise SkipCheck("the file is deleted")
    if file is None:
        raise SkipCheck("there is no file")
    return file


def is_deletion(event: Event, file: FileSnapshot | None) -> bool:
    """Whether the operation deletes its file, so that there is no code to check."""
    return (file is not None and file.change_type == _DELETED[0]) or event.data.get("changeType") in _DELETED


def code_file(context: Context) -> tuple[FileSnapshot, NodeScript]:
    """Return the file of the operation, and the script in it; the script's language may be unknown.

    Raises:
        SkipCheck: it has no script.
    """
    file = committed_file(context)
    if not file.content.strip():
        raise SkipCheck("the file has no code")
    kind = node_type(file, context)
    if not has_script(kind):
        raise without_script(kind)
    return file, node_script(file.content, kind)


def without_script(kind: int | None) -> SkipCheck:
    """Return the error for a file of a node type without scripts."""
    return SkipCheck(f"files of node type {kind} have no script")


def project_of(file: FileSnapshot) -> str | None:
    """Return the common project of the declared outputs (`project.name`); None if it is ambiguous."""
    projects = {output.partition(".")[0] for output in file.outputs if "." in output}
    return projects.pop() if len(projects) == 1 else None


def node_of(file: FileSnapshot, context: Context) -> int | None:
    """Return the id of the file's node; None if it has none yet."""
    if file.node_id:
        return file.node_id
    try:
        return event_fields.number(context.event.data, "nodeId") or None
    except event_fields.InvalidField:
        return None


def node_type(file: FileSnapshot, context: Context) -> int | None:
    """Return the number of the file's node type; None if neither the file nor the event provides it."""
    if file.file_type is not None:
        return file.file_type
    try:
        return event_fields.number(context.event.data, "fileType")
    except event_fields.InvalidField:
        return None
