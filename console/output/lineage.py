"""Lineage as text, as JSON, and as a Mermaid flowchart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from common.text.printable import printable
from console.output.tables import NOTHING
from review.lineage.file_lineage import FileLineage, StatementLineage

_UNNAMED = "?"


def lineage_text(files: Iterable[FileLineage]) -> Iterator[str]:
    """Yield the lines of a text: each statement's tables, and then its columns."""
    for file in files:
        for statement in file.statements:
            written = _listed(dict.fromkeys(write.table for write in statement.writes))
            yield printable(f"{file.path}:{statement.line}: {written} <- {_listed(statement.reads)}")
            for column in statement.columns:
                sources = _listed(f"{table}.{name}" for table, name in column.sources)
                yield printable(f"  {column.table}.{column.column or _UNNAMED} <- {sources}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or NOTHING


def lineage_json(files: Iterable[FileLineage]) -> dict[str, Any]:
    """Return the lineage as JSON values, in the form that docs/review.md describes."""
    return {
        "files": [
            {
                "path": file.path,
                "dialect": file.dialect,
                "statements": [_statement(item) for item in file.statements],
                "unread": [{"line": item.line, "reason": item.reason} for item in file.unread],
            }
            for file in files
        ]
    }


def _statement(item: StatementLineage) -> dict[str, Any]:
    return {
        "line": item.line,
        "dialect": item.dialect,
        "reads": list(item.reads),
        "writes": [
            {
                "table": write.table,
                "how": write.how.value,
                "partition": [{"column": name, "value": value} for name, value in write.partition],
            }
            for write in item.writes
        ],
        "columns": [
            {
                "table": column.table,
                "column": column.column or None,
                "sources": [{"table": table, "column": name} for table, name in column.sources],
            }
            for column in item.columns
        ],
    }


def mermaid(files: Sequence[FileLineage]) -> Iterator[str]:
    """Yield the lines of a Mermaid flowchart: an arrow from each table that is read to each written one.

    Names that differ only in case are one table. https://mermaid.js.org/syntax/flowchart.html
    """
    nodes: dict[str, tuple[str, str]] = {}
    arrows: dict[tuple[str, str], None] = {}
    for statement in (item for file in files for item in file.statements):
        written = [write.table for write in statement.writes]
        for name in (*statement.reads, *written):
            nodes.setdefault(name.lower(), (f"t{len(nodes)}", name))
        for source in statement.reads:
            for target in written:
                arrows[nodes[source.lower()][0], nodes[target.lower()][0]] = None
    yield "flowchart LR"
    for node, name in nodes.values():
        yield f'    {node}["{_label(name)}"]'
    for source, target in arrows:
        yield f"    {source} --> {target}"


_SPECIAL = re.compile(r"[^\w .:-]")
"""Characters that could end a label, or that Mermaid reads as Markdown, HTML or an entity."""


def _label(name: str) -> str:
    """Return a name as the text of a label; other characters than those of names become entity codes."""
    return _SPECIAL.sub(lambda match: f"#{ord(match[0])};", printable(name))
