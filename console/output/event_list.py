"""Stored events as a list for people: blocks that fit a narrow terminal, or rows of a table."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from common.ledger import EventRecord
from console.output import tables

COLUMNS = (
    *("received", "message id", "event", "workspace", "checked", "owner", "operator"),
    *("state", "result", "first finding"),
)

_INDENT = (0, 0, 0, 4)


def blocks(records: Iterable[EventRecord]) -> RenderableType:
    """Return each event as a few lines of at most 80 columns, its message id whole."""
    return tables.paragraphs(*(_block(record) for record in records))


def rows(records: Iterable[EventRecord]) -> RenderableType:
    """Return a table with one row per event."""
    return tables.table(COLUMNS, [_row(record) for record in records])


def checked_object(record: EventRecord) -> str | None:
    """Return what the operation works on, such as `file dwd_order (7001)`; None if it is not known."""
    target = record.target
    if (subject := target.subject) is None:
        return None
    id_, name = subject.id, subject.name
    if name and id_ and not id_.endswith(name):  # the id of a table contains its name
        name = f"{name} ({id_})"
    more = f" and {target.more_subjects} more" if target.more_subjects else ""
    return f"{subject.kind} {name or id_}{more}"


def _block(record: EventRecord) -> RenderableType:
    event = record.event
    head = Text.assemble(
        tables.format_time(event.received_at) or "",
        "  ",
        tables.text(event.message_id),
        "  ",
        tables.text(tables.result(record) or record.state.value),
    )
    what = " · ".join(filter(None, (event.event_code, checked_object(record))))
    who = f"workspace {event.project_id or tables.NOTHING}, operator {event.operator or tables.NOTHING}"
    if owner := record.target.owner:
        who += f", owner {owner}"
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
        checked_object(record),
        record.target.owner,
        event.operator,
        record.state.value,
        tables.result(record),
        tables.first_finding(record),
    )
