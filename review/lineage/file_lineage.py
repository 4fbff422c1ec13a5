"""The lineage of one file as plain values, for the command line and for other programs."""

from __future__ import annotations

from dataclasses import dataclass

from review.facts import Script
from review.lineage import ColumnLineage, TableWrite, statement_lineage
from review.source.positions import LineIndex


@dataclass(frozen=True, slots=True)
class StatementLineage:
    """What one statement reads and writes.

    Attributes:
        line: where it starts, 1-based.
        dialect: its dialect of SQL.
        reads: tables as written, each once.
        writes: the tables that it writes.
        columns: the columns that it writes.
    """

    line: int
    dialect: str
    reads: tuple[str, ...]
    writes: tuple[TableWrite, ...]
    columns: tuple[ColumnLineage, ...]


@dataclass(frozen=True, slots=True)
class UnreadCode:
    """Code whose lineage is unknown.

    Attributes:
        line: where it starts, 1-based; None for a whole file.
        reason: why it could not be read, in English.
    """

    line: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class FileLineage:
    """The lineage of one file.

    Attributes:
        path: as people name it; `-` for standard input.
        dialect: its language.
        statements: those that read or write a table.
        unread: what could not be read.
    """

    path: str
    dialect: str
    statements: tuple[StatementLineage, ...] = ()
    unread: tuple[UnreadCode, ...] = ()


def script_lineage(path: str, script: Script) -> FileLineage:
    """Return the lineage of a file that has been read."""
    lines = LineIndex(script.code)
    statements = tuple(
        StatementLineage(
            lines.at(statement.at.begin).line,
            (statement.dialect or script.dialect).value,
            tables.reads,
            tables.writes,
            columns,
        )
        for statement, tables, columns in statement_lineage(script)
    )
    unread = tuple(
        UnreadCode(lines.at(statement.at.begin).line, statement.unread)
        for statement in script.statements
        if statement.unread is not None
    )
    return FileLineage(path, script.dialect.value, statements, unread)
