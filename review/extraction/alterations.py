"""Reads what an ALTER changes and removes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from review.extraction.definitions import parse_days
from review.extraction.expressions.partitions import partition_values
from review.extraction.queries import QueryWalker
from review.extraction.source_text import SourceText
from review.facts import Alteration, AlterKind, Removal, RemovedKind, Span
from review.parsing.ast_nodes import AlterAction, AlterTable

_ALTER_KINDS = {
    "ADD COLUMNS": AlterKind.ADD_COLUMNS,
    "ADD PARTITION": AlterKind.ADD_PARTITION,
    "RENAME": AlterKind.RENAME,
    "RENAME COLUMN": AlterKind.RENAME_COLUMN,
    "CHANGE COLUMN": AlterKind.CHANGE_COLUMN,
    "SET LIFECYCLE": AlterKind.LIFECYCLE,
    "OWNER": AlterKind.OWNER,
    "COMMENT": AlterKind.COMMENT,
}
_REMOVED_KINDS = {
    "DROP PARTITION": RemovedKind.PARTITION,
    "TRUNCATE PARTITION": RemovedKind.PARTITION,
    "DROP COLUMNS": RemovedKind.COLUMN,
}


def extract_alterations(node: AlterTable, walk: QueryWalker) -> Iterator[Alteration | Removal]:
    """Read an ALTER: one fact per action."""
    table = node.this
    name = walk.text.name(table) if isinstance(table, exp.Table) else ""
    for action in node.args.get("actions") or ():
        if (gone := _REMOVED_KINDS.get(action.this)) is not None and node.args.get("kind") == "TABLE":
            yield from _removals(action, gone, name, walk)
        else:
            yield _alteration(action, name, walk)


_RENAMED = re.compile(r"(?<![^\s,;])(?P<old>[^\s,;]+)\s+to\s+(?P<new>[^\s,;]+)", re.IGNORECASE)


def renamed_table(text: SourceText) -> Iterator[Alteration]:
    """Read `RENAME TABLE a TO b, c TO d` of MySQL and ClickHouse."""
    start = text.at.begin
    for match in _RENAMED.finditer(text.unfilled()):
        old, new = (
            text.name_at(start + match.start(group), start + match.end(group)).replace("`", "")
            for group in ("old", "new")
        )
        yield Alteration(Span(start + match.start(), start + match.end()), AlterKind.RENAME, old, (new,))


def _removals(action: AlterAction, gone: RemovedKind, name: str, walk: QueryWalker) -> Iterator[Removal]:
    at = walk.text.span(action) or walk.text.at
    if gone is RemovedKind.COLUMN:
        columns = tuple(walk.text.name(part) for part in action.args.get("columns") or ())
        yield Removal(at, gone, name, columns=columns)
        return
    partitions = action.args.get("partitions") or ()
    for part in partitions:
        where = at if len(partitions) == 1 else walk.text.span(part) or at
        yield Removal(where, gone, name, partition_values(part, walk.frame()))
    if not partitions:
        yield Removal(at, gone, name)


def _alteration(action: AlterAction, name: str, walk: QueryWalker) -> Alteration:
    at = walk.text.span(action) or walk.text.at
    what = _ALTER_KINDS.get(action.this, AlterKind.OTHER)
    value = action.args.get("value")
    names = tuple(walk.text.name(part) for part in action.args.get("columns") or ())
    if what is AlterKind.RENAME and isinstance(value, exp.Table):
        names = (_beside(walk.text.name(value), name),)
    lifecycle = parse_days(value) if what is AlterKind.LIFECYCLE else None
    return Alteration(at, what, name, names, lifecycle)


def _beside(new: str, old: str) -> str:
    """Return the new name with the old one's project: RENAME TO gives only the table's name."""
    owner = old.rpartition(".")[0]
    return f"{owner}.{new}" if owner and "." not in new else new
