"""Reads what an ALTER changes and removes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from review.extraction.definitions import days
from review.extraction.expressions.partitions import partition_values
from review.extraction.queries import Walk
from review.extraction.source_text import Written
from review.facts import Alteration, Altered, Gone, Removal, Span
from review.parsing.ast_nodes import AlterAction, AlterTable

_ALTERED = {
    "ADD COLUMNS": Altered.ADD_COLUMNS,
    "ADD PARTITION": Altered.ADD_PARTITION,
    "RENAME": Altered.RENAME,
    "RENAME COLUMN": Altered.RENAME_COLUMN,
    "CHANGE COLUMN": Altered.CHANGE_COLUMN,
    "SET LIFECYCLE": Altered.LIFECYCLE,
    "OWNER": Altered.OWNER,
    "COMMENT": Altered.COMMENT,
}
_GONE = {"DROP PARTITION": Gone.PARTITION, "TRUNCATE PARTITION": Gone.PARTITION, "DROP COLUMNS": Gone.COLUMN}


def alterations(node: AlterTable, walk: Walk) -> Iterator[Alteration | Removal]:
    """Read an ALTER: one fact per action."""
    table = node.this
    name = walk.text.name(table) if isinstance(table, exp.Table) else ""
    for action in node.args.get("actions") or ():
        if (gone := _GONE.get(action.this)) is not None and node.args.get("kind") == "TABLE":
            yield from _removals(action, gone, name, walk)
        else:
            yield _alteration(action, name, walk)


_RENAMED = re.compile(r"(?P<old>[^\s,;]+)\s+to\s+(?P<new>[^\s,;]+)", re.IGNORECASE)


def renamed(text: Written) -> Iterator[Alteration]:
    """Read `RENAME TABLE a TO b, c TO d` of MySQL and ClickHouse."""
    code = text.author(*text.at)
    for match in _RENAMED.finditer(code):
        at = Span(text.at.begin + match.start(), text.at.begin + match.end())
        yield Alteration(at, Altered.RENAME, match["old"].replace("`", ""), (match["new"].replace("`", ""),))


def _removals(action: AlterAction, gone: Gone, name: str, walk: Walk) -> Iterator[Removal]:
    at = walk.text.span(action) or walk.text.at
    if gone is Gone.COLUMN:
        columns = tuple(walk.text.name(part) for part in action.args.get("columns") or ())
        yield Removal(at, gone, name, columns=columns)
        return
    partitions = action.args.get("partitions") or ()
    for part in partitions:
        where = at if len(partitions) == 1 else walk.text.span(part) or at
        yield Removal(where, gone, name, partition_values(part, walk.frame()))
    if not partitions:
        yield Removal(at, gone, name)


def _alteration(action: AlterAction, name: str, walk: Walk) -> Alteration:
    at = walk.text.span(action) or walk.text.at
    what = _ALTERED.get(action.this, Altered.OTHER)
    value = action.args.get("value")
    names = tuple(walk.text.name(part) for part in action.args.get("columns") or ())
    if what is Altered.RENAME and isinstance(value, exp.Table):
        names = (_beside(walk.text.name(value), name),)
    lifecycle = days(value) if what is Altered.LIFECYCLE else None
    return Alteration(at, what, name, names, lifecycle)


def _beside(new: str, old: str) -> str:
    """Return the new name with the old one's project: RENAME TO gives only the table's name."""
    owner = old.rpartition(".")[0]
    return f"{owner}.{new}" if owner and "." not in new else new
