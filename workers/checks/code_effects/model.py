"""What a node's code does to tables, as plain values that can be kept and shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

ALL_COLUMNS = "*"
"""Name of a column that stands for all those of a table: the one that its `type` names."""


@dataclass(frozen=True, slots=True)
class TableRead:
    """A table of others that the code takes rows from.

    Attributes:
        table: `project.table` in lower case; without a project where none is known.
        line: 1-based.
    """

    table: str
    line: int


@dataclass(frozen=True, slots=True)
class TableWrite:
    """A statement that writes, makes, alters or takes away a table.

    Attributes:
        table: as written; empty when its name is made at run time.
        line: 1-based.
        description: what it does, as one writes it: `INSERT OVERWRITE`, `DROP TABLE`.
        database: the project or database that the name tells, in lower case; None when it tells none.
    """

    table: str
    line: int
    description: str
    database: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """A column of a table that the code makes.

    Attributes:
        name: in lower case; `ALL_COLUMNS` for all columns of another table.
        type: in upper case, empty when it is not known; for `ALL_COLUMNS` the other table.
    """

    name: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class RebuiltTable:
    """A table that was there before, and is gone or made anew when the code has run.

    Attributes:
        table: `project.table` in lower case.
        line: of the statement that takes it away, or makes it.
        columns: of the new one, partition columns included; None: not known; empty: it is gone.
        is_moved: the name that it is renamed to; empty when it is not.
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
        name: its new name in lower case; empty when it is dropped.
        type: its new type in upper case; empty when it keeps its type.
    """

    table: str
    column: str
    line: int
    name: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class ColumnWrite:
    """Columns that one write brings.

    Attributes:
        table: `project.table` in lower case.
        line: 1-based.
        listed: the columns that it lists, in lower case; empty when it goes by position.
        empty: for each column that the query gives out: whether it is plain NULL.
        open: whether a star hides what follows.
    """

    table: str
    line: int
    listed: tuple[str, ...] = ()
    empty: tuple[bool, ...] = ()
    open: bool = False


@dataclass(frozen=True, slots=True)
class CodeEffects:
    """What a node's code does.

    Attributes:
        reads: tables of others that it reads, each once.
        changes: in order of the text.
        rebuilt: tables that others may read and that it takes away or makes anew.
        altered: columns that it drops, renames or changes.
        column_writes: columns that it writes.
        unparsed: lines of what could not be read.
        dynamic_reads: lines where it reads a table whose name is made at run time.
    """

    reads: tuple[TableRead, ...] = ()
    changes: tuple[TableWrite, ...] = ()
    rebuilt: tuple[RebuiltTable, ...] = ()
    altered: tuple[ColumnChange, ...] = ()
    column_writes: tuple[ColumnWrite, ...] = ()
    unparsed: tuple[int, ...] = ()
    dynamic_reads: tuple[int, ...] = ()

    def to_json(self) -> Any:
        """Return the deeds as plain JSON."""
        return _ADAPTER.dump_python(self, mode="json")

    @classmethod
    def from_json(cls, raw: Any) -> CodeEffects:
        """Read what `to_json` wrote."""
        return _ADAPTER.validate_python(raw)


_ADAPTER = TypeAdapter(CodeEffects)
