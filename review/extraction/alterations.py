"""Reads what an ALTER changes and removes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from review.extraction.definitions import parse_days
from review.extraction.expressions.partitions import partition_values
from review.extraction.queries import QueryWalker
from review.extraction.source_text import SourceText
from review.facts import Alteration, AlterKind, Removal, RemovedKind, Span, last_part
from review.parsing.ast_nodes import AlterAction, AlterTable

_ALTER_KINDS = {
    "ADD COLUMNS": AlterKind.ADD_COLUMNS,
    "ADD PARTITION": AlterKind.ADD_PARTITION,
    "ATTACH": AlterKind.ADD_PARTITION,
    "EXCHANGE": AlterKind.ADD_PARTITION,
    "REPLACE PARTITION": AlterKind.ADD_PARTITION,
    "RENAME": AlterKind.RENAME,
    "SET SCHEMA": AlterKind.RENAME,
    "RENAME COLUMN": AlterKind.RENAME_COLUMN,
    "CHANGE COLUMN": AlterKind.CHANGE_COLUMN,
    "SET LIFECYCLE": AlterKind.LIFECYCLE,
    "OWNER": AlterKind.OWNER,
    "COMMENT": AlterKind.COMMENT,
}
_REMOVED_KINDS = {
    "DROP PARTITION": RemovedKind.PARTITION,
    "TRUNCATE PARTITION": RemovedKind.PARTITION,
    "DETACH PARTITION": RemovedKind.DETACHED,
    "DROP COLUMNS": RemovedKind.COLUMN,
}


def extract_alterations(node: AlterTable, walk: QueryWalker) -> Iterator[Alteration | Removal]:
    """Read an ALTER: one fact per action."""
    table = node.this
    name = walk.text.name(table) if isinstance(table, exp.Table) else ""
    for action in node.args.get("actions") or ():
        if (other := _swapped(action, walk)) is not None:
            yield from _exchange(walk.text.span(action) or walk.text.at, name, other)
        elif (gone := _REMOVED_KINDS.get(action.this)) is not None and node.args.get("kind") == "TABLE":
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


def renamed_by_call(text: SourceText) -> Iterator[Alteration]:
    """Read `EXEC sp_rename 'a', 'b'` of T-SQL."""
    if match := _RENAME_CALL.match(text.author(*text.at)):
        yield Alteration(text.at, AlterKind.RENAME, match["old"], (_beside(match["new"], match["old"]),))


_RENAME_CALL = re.compile(
    r"exec(?:ute)?\s+(?:sys\.)?sp_rename\s+N?'(?P<old>[^']+)'\s*,\s*N?'(?P<new>[^']+)'\s*\Z", re.IGNORECASE
)


def exchanged_tables(text: SourceText) -> Iterator[Alteration]:
    """Read `EXCHANGE TABLES a AND b, c AND d` of ClickHouse (page "EXCHANGE Statement")."""
    code = text.author(*text.at)
    for match in _EXCHANGED.finditer(code):
        at = Span(text.at.begin + match.start(), text.at.begin + match.end())
        yield from _exchange(at, match["one"].replace("`", ""), match["other"].replace("`", ""))


_EXCHANGED = re.compile(r"(?<![^\s,;])(?P<one>[^\s,;]+)\s+and\s+(?P<other>[^\s,;]+)", re.IGNORECASE)


def _swapped(action: AlterAction, walk: QueryWalker) -> str | None:
    """Return the table that an action exchanges with the altered one; None if it exchanges none.

    Sources: "ALTER TABLE" of StarRocks (SWAP WITH) and of Doris (REPLACE WITH TABLE).
    """
    span = walk.text.span(action) if action.this in ("SWAP", "REPLACE") else None
    match = _SWAPPED.match(walk.text.author(*span)) if span else None
    return match["other"].replace("`", "") if match else None


_SWAPPED = re.compile(r"(?:swap|replace)\s+with\s+(?:table\s+)?(?P<other>[^\s;]+)", re.IGNORECASE)


def _exchange(at: Span, one: str, other: str) -> Iterator[Alteration]:
    yield Alteration(at, AlterKind.RENAME, one, (_beside(other, one),))
    yield Alteration(at, AlterKind.RENAME, other, (_beside(one, other),))


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
    elif what is AlterKind.RENAME and names:
        names = (f"{names[0]}.{last_part(name)}",)  # SET SCHEMA
    lifecycle = parse_days(value) if what is AlterKind.LIFECYCLE else None
    return Alteration(at, what, name, names, lifecycle)


def _beside(new: str, old: str) -> str:
    """Return the new name with the old one's project: RENAME TO gives only the table's name."""
    owner = old.rpartition(".")[0]
    return f"{owner}.{new}" if owner and "." not in new else new
