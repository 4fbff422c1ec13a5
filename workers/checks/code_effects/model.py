"""The effects of a node's code on tables, as plain values that can be cached and shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

ALL_COLUMNS = "*"
"""Name of a column that represents all columns of the table in its `type`."""


@dataclass(frozen=True, slots=True)
class TableRead:
    """A table that the code reads and does not create or write itself.

    Attributes:
        table: `project.table` in lower case; without a project if it is unknown.
        line: 1-based.
    """

    table: str
    line: int


@dataclass(frozen=True, slots=True)
class TableWrite:
    """A statement that writes, creates, alters or drops a table.

    Attributes:
        table: name in the code; empty if it is generated at run time.
        line: 1-based.
        description: the keywords of the statement: `INSERT OVERWRITE`, `DROP TABLE`.
        database: the project or database in the name, in lower case; None if it has none.
    """

    table: str
    line: int
    description: str
    database: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """A column of a table that the code creates.

    Attributes:
        name: in lower case; `ALL_COLUMNS` for all columns of another table.
        type: in upper case, empty if unknown; for `ALL_COLUMNS` the other table.
    """

    name: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class RebuiltTable:
    """An existing table that the code drops or recreates.

    Attributes:
        table: `project.table` in lower case.
        line: line of the statement that drops or recreates it.
        columns: columns of the new table, including partition columns; None: unknown; empty: it is dropped.
        is_moved: its new name; empty if it is not renamed.
    """

    table: str
    line: int
    columns: tuple[ColumnShape, ...] | None = ()
    is_moved: str = ""


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """A column that an ALTER changes.

    Attributes:
        table: `project.table` in lower case.
        column: its name, in lower case.
        line: 1-based.
        name: its new name in lower case; empty if it is dropped.
        type: its new type in upper case; empty if the type is unchanged.
    """

    table: str
    column: str
    line: int
    name: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class ColumnWrite:
    """The columns of one write.

    Attributes:
        table: `project.table` in lower case.
        line: 1-based.
        listed: the columns that it lists, in lower case; empty if it writes by position.
        empty: for each output column of the query, whether it is only NULL.
        open: whether the columns from some position on are unknown because of a star.
    """

    table: str
    line: int
    listed: tuple[str, ...] = ()
    empty: tuple[bool, ...] = ()
    open: bool = False


@dataclass(frozen=True, slots=True)
class CodeEffects:
    """The effects of a node's code.

    Attributes:
        reads: tables that it reads and does not create or write, without duplicates.
        changes: statements that change tables, in the order of the code.
        rebuilt: existing tables that it drops or recreates.
        altered: columns that it drops, renames or changes.
        column_writes: columns that it writes.
        unparsed: lines of code that could not be parsed, or that is generated at run time.
        gaps: the reasons why code could not be parsed, each with its line; not for code that is generated.
        dynamic_reads: lines where it reads a table whose name is generated at run time.
    """

    reads: tuple[TableRead, ...] = ()
    changes: tuple[TableWrite, ...] = ()
    rebuilt: tuple[RebuiltTable, ...] = ()
    altered: tuple[ColumnChange, ...] = ()
    column_writes: tuple[ColumnWrite, ...] = ()
    unparsed: tuple[int, ...] = ()
    dynamic_reads: tuple[int, ...] = ()
    gaps: tuple[tuple[int, str], ...] = ()

    def to_json(self) -> Any:
        """Return the effects as plain JSON."""
        return _ADAPTER.dump_python(self, mode="json")

    @classmethod
    def from_json(cls, raw: Any) -> CodeEffects:
        """Return the effects that `to_json` wrote."""
        return _ADAPTER.validate_python(raw)


_ADAPTER = TypeAdapter(CodeEffects)
