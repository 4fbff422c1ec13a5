"""Stored events as a list for people: blocks that fit a narrow terminal, or rows of a table."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from common.ledger import EventRecord
from common.subjects.event_subject import subject_of
from common.verdicts import Subject, SubjectKind
from console.output import tables

COLUMNS = (
    *("received", "message id", "event", "workspace", "checked", "operator"),
    *("state", "result", "first finding"),
)

MAX_SUBJECTS = 3
"""Objects of an operation that a list names."""

_INDENT = (0, 0, 0, 4)


def blocks(records: Iterable[EventRecord]) -> RenderableType:
    """Return each event as a few lines of at most 80 columns, its message id whole."""
    return tables.paragraphs(*(_block(record) for record in records))


def rows(records: Iterable[EventRecord]) -> RenderableType:
    """Return a table with one row per event."""
    return tables.table(COLUMNS, [_row(record) for record in records])


def checked_objects(record: EventRecord) -> str | None:
    """Return what the operation works on, such as `file dwd_order (7001)`; None if it is not known."""
    subjects = _distinct(subject_of("", record.event, None).items or _found_subjects(record))
    named = [_name(subject) for subject in subjects[:MAX_SUBJECTS]]
    more = len(subjects) - len(named)
    return ", ".join([*named, f"{more} more"] if more > 0 else named) or None


def _found_subjects(record: EventRecord) -> tuple[Subject, ...]:
    # The event names no object, as a commit that came without fields; its findings do.
    outcomes = (record.outcomes.get(name) for name in record.planned_checks)
    found = (subject for each in outcomes if each for item in each.findings for subject in item.subjects)
    return tuple({subject.key: subject for subject in found}.values())


def _distinct(subjects: tuple[Subject, ...]) -> list[Subject]:
    """Return the subjects without the node of a file: both have the same name."""
    files = {item.name for item in subjects if item.kind is SubjectKind.FILE and item.name}
    return [item for item in subjects if item.kind is not SubjectKind.NODE or item.name not in files]


def _name(subject: Subject) -> str:
    id_, name = subject.id, subject.name
    if not name or not id_ or id_.endswith(name):  # the id of a table contains its name
        return f"{subject.kind} {name or id_}"
    return f"{subject.kind} {name} ({id_})"


def _block(record: EventRecord) -> RenderableType:
    event = record.event
    head = Text.assemble(
        tables.format_time(event.received_at) or "",
        "  ",
        tables.text(event.message_id),
        "  ",
        tables.text(tables.result(record) or record.state.value),
    )
    what = " · ".join(filter(None, (event.event_code, checked_objects(record))))
    who = f"workspace {event.project_id or tables.NOTHING}, operator {event.operator or tables.NOTHING}"
    lines: list[RenderableType] = [
        head,
        Padding(tables.text(what), _INDENT),
        Padding(tables.text(who), _INDENT),
    ]
    if finding := tables.first_finding(record):
        shortened = tables.text(finding)
        shortened.no_wrap, shortened.overflow = True, "ellipsis"
        lines.append(Padding(shortened, _INDENT))
    return Group(*lines)


def _row(record: EventRecord) -> tuple[object, ...]:
    event = record.event
    return (
        tables.format_time(event.received_at),
        event.message_id,
        event.event_code,
        event.project_id,
        checked_objects(record),
        event.operator,
        record.state.value,
        tables.result(record),
        tables.first_finding(record),
    )
