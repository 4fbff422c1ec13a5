"""The state of existing tables after a script has run."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from review.analysis.naming import is_temporary
from review.facts import (
    Alteration,
    AlterKind,
    CreatedKind,
    Creation,
    Removal,
    RemovedKind,
    Role,
    Script,
    Span,
    Statement,
)
from review.facts.python import TableAccess, TableAccessKind
from review.lineage import ColumnLineage, column_lineage
from review.source.positions import LineIndex
from workers.checks.code_effects.model import ALL_COLUMNS, ColumnChange, ColumnShape, RebuiltTable
from workers.checks.code_effects.table_names import qualified

_TYPE = re.compile(
    r"^(?:SET\s+DATA\s+TYPE\s+|TYPE\s+)?(?P<type>[A-Z]\w*\s*(?:\([\d,\s]*\)|<.*>)?)",
    re.IGNORECASE | re.DOTALL,
)
"""The type in the rest of a CHANGE COLUMN or ALTER COLUMN after the column names."""

_NO_TYPE = frozenset({"COMMENT", "AFTER", "FIRST", "SET", "DROP", "NULL", "NOT", "DEFAULT", "TYPE", "ADD"})
"""Keywords of an ALTER that are neither a column name nor a type."""

_REPLACE = re.compile(r"REPLACE\s+COLUMNS\b", re.IGNORECASE)
"""An ALTER that replaces the columns of a table; the new columns are not parsed."""

_SHAPES = (CreatedKind.TABLE, CreatedKind.VIEW)
_RENAMED = 2
"""Number of names in a statement that renames a column."""


@dataclass(frozen=True, slots=True)
class _TableState:
    """A table that a script has changed.

    Attributes:
        columns: None if unknown.
        is_new: whether the script created it.
        is_moved: its new name; empty if it is not renamed.
    """

    columns: tuple[ColumnShape, ...] | None
    line: int
    is_new: bool = False
    is_dropped: bool = False
    is_moved: str = ""


class TableRebuilds:
    """Tracks the tables of a script, statement by statement.

    A CREATE without IF NOT EXISTS fails if the table exists, so the table is new, unless the script dropped
    it before or the statement has OR REPLACE.
    """

    def __init__(self, script: Script, places: LineIndex) -> None:
        self._script, self._places = script, places
        self._tables: dict[str, _TableState] = {}
        self._script_owned: set[str] = set()
        self._altered: dict[tuple[str, str], ColumnChange] = {}
        self._queried: dict[Span, tuple[ColumnShape, ...] | None] | None = None
        steps: list[Statement | TableAccess] = [*script.statements, *script.python.accesses]
        for step in sorted(steps, key=lambda item: item.at):
            if isinstance(step, TableAccess):
                self._call(step)
            else:
                self._run(step)

    def rebuilt_tables(self) -> tuple[RebuiltTable, ...]:
        """Return the existing tables that the script drops or recreates."""
        return tuple(
            RebuiltTable(name, table.line, () if table.is_dropped else table.columns, table.is_moved)
            for name, table in self._tables.items()
            if not table.is_new and name not in self._script_owned
        )

    def altered_columns(self) -> tuple[ColumnChange, ...]:
        """Return the dropped, renamed or changed columns of tables that are not rebuilt."""
        return tuple(change for change in self._altered.values() if change.table not in self._tables)

    def _name(self, table: str) -> str:
        return qualified(self._script, table)

    def _line(self, at: Span) -> int:
        return self._places.at(at.begin).line

    def _run(self, statement: Statement) -> None:
        for removal in statement.removals:
            self._remove(removal)
        for creation in statement.creations:
            self._create(creation, statement)
        for change in statement.alterations:
            self._alter(change)

    def _call(self, access: TableAccess) -> None:
        """Track a PyODPS call; the columns of a table that it creates are not parsed."""
        known = self._tables.get(self._name(access.table))
        if access.act is TableAccessKind.DROP and access.table:
            self._drop(access.table, access.at)
        elif access.act is TableAccessKind.CREATE and known and known.is_dropped:
            self._tables[self._name(access.table)] = _TableState(None, self._line(access.at))

    def _drop(self, table: str, at: Span) -> None:
        name = self._name(table)
        known = self._tables.get(name)
        if is_temporary(table):
            return
        if known and not known.is_dropped:
            self._script_owned.add(name)  # the script created the table itself
        if known and known.is_new:
            del self._tables[name]
        else:
            self._tables[name] = _TableState((), self._line(at), is_dropped=True)

    def _remove(self, removal: Removal) -> None:
        name = self._name(removal.name)
        if removal.what in (RemovedKind.TABLE, RemovedKind.VIEW):
            self._drop(removal.name, removal.at)
        elif removal.what is RemovedKind.COLUMN:
            for column in removal.columns:
                self._change(ColumnChange(name, column.lower(), self._line(removal.at)))

    def _create(self, creation: Creation, statement: Statement) -> None:
        name = self._name(creation.name)
        if creation.what not in _SHAPES or creation.temporary or is_temporary(creation.name):
            return
        known = self._tables.get(name)
        if creation.exists and not (known and known.is_dropped):
            return
        new = not (creation.replace or known) or (known is not None and known.is_new)
        self._script_owned.discard(name)
        self._tables[name] = _TableState(self._shape(creation, statement), self._line(creation.at), new)

    def _shape(self, creation: Creation, statement: Statement) -> tuple[ColumnShape, ...] | None:
        if creation.like:
            return (ColumnShape(ALL_COLUMNS, self._name(creation.like)),)
        listed = tuple(ColumnShape(item.name.lower(), item.type.upper()) for item in creation.columns)
        parts = tuple(ColumnShape(item.name.lower(), item.type.upper()) for item in creation.partitions)
        if listed or not creation.queried:
            return (*listed, *parts)
        if creation.what is CreatedKind.VIEW:
            return _result_columns(statement)
        if self._queried is None:
            self._queried = self._of_queries()
        shape = self._queried.get(creation.at)
        return (*shape, *parts) if shape else None

    def _of_queries(self) -> dict[Span, tuple[ColumnShape, ...] | None]:
        """Return the columns of every CREATE TABLE AS by the position of its name."""
        found: dict[Span, tuple[ColumnShape, ...] | None] = {}
        traced: dict[str, list[ColumnLineage]] = {}
        for item in column_lineage(self._script):
            traced.setdefault(item.table, []).append(item)
        for statement in self._script.statements:
            for creation in statement.creations:
                if creation.queried and creation.what is CreatedKind.TABLE:
                    inside = [
                        item for item in traced.get(creation.name, ()) if _is_within(item.at, statement.at)
                    ]
                    found[creation.at] = self._columns([(item.column, item.sources) for item in inside])
        return found

    def _columns(
        self, traced: list[tuple[str, tuple[tuple[str, str], ...]]]
    ) -> tuple[ColumnShape, ...] | None:
        shape: list[ColumnShape] = []
        for name, sources in traced:
            if name == ALL_COLUMNS and len(sources) == 1:
                shape.append(ColumnShape(ALL_COLUMNS, self._name(sources[0][0])))
            elif name in ("", ALL_COLUMNS):
                return None
            else:
                shape.append(ColumnShape(name))
        return tuple(shape)

    def _alter(self, change: Alteration) -> None:
        name, line = self._name(change.table), self._line(change.at)
        names = tuple(item.lower() for item in change.names)
        if change.what is AlterKind.RENAME and names:
            self._rename(name, self._name(change.names[0]), line)
        elif change.what is AlterKind.RENAME_COLUMN and len(names) == _RENAMED:
            self._change(ColumnChange(name, names[0], line, names[1]))
        elif change.what is AlterKind.CHANGE_COLUMN and names:
            new = names[-1] if names[-1].upper() not in _NO_TYPE else names[0]
            self._change(ColumnChange(name, names[0], line, new, self._type(change)))
        elif change.what is AlterKind.ADD_COLUMNS:
            self._add(name, names)
        elif change.what is AlterKind.OTHER and _REPLACE.match(self._script.code, change.at.begin):
            known = self._tables.get(name)
            self._tables[name] = _TableState(None, line, is_new=bool(known and known.is_new))

    def _type(self, change: Alteration) -> str:
        """Return the new type in a CHANGE COLUMN, in upper case; empty if it has none."""
        code = self._script.code[change.at.begin : change.at.end]
        names = [item for item in change.names if item.upper() not in _NO_TYPE]
        rest = code
        for item in names:
            rest = re.split(rf"(?<!\w)`?{re.escape(item)}`?(?!\w)", rest, maxsplit=1)[-1]
        found = _TYPE.match(rest.strip())
        kind = re.sub(r"\s+", " ", found["type"].strip().upper()) if found else ""
        return "" if kind in _NO_TYPE else kind

    def _rename(self, name: str, new: str, line: int) -> None:
        known = self._tables.get(name)
        replaced = self._tables.get(new)
        shape = known.columns if known else (ColumnShape(ALL_COLUMNS, name),)
        self._tables[new] = _TableState(shape, line, is_new=replaced is None or replaced.is_new)
        if known and known.is_new:
            del self._tables[name]
        else:
            self._tables[name] = _TableState((), line, is_dropped=True, is_moved=new)

    def _add(self, name: str, names: tuple[str, ...]) -> None:
        for column in names:
            self._altered.pop((name, column), None)
        self._reshape(name, lambda shape: (*shape, *(ColumnShape(column) for column in names)))

    def _change(self, change: ColumnChange) -> None:
        """Record a change of a column, and apply it to the shape of a table that the script creates."""
        self._altered[change.table, change.column] = change
        self._reshape(
            change.table,
            lambda shape: tuple(
                replace(item, name=change.name, type=change.type or item.type)
                if item.name == change.column
                else item
                for item in shape
                if item.name != change.column or change.name
            ),
        )

    def _reshape(self, name: str, new: Callable[[tuple[ColumnShape, ...]], tuple[ColumnShape, ...]]) -> None:
        known = self._tables.get(name)
        if known and known.columns is not None and not known.is_dropped:
            self._tables[name] = replace(known, columns=new(known.columns))


def _result_columns(statement: Statement) -> tuple[ColumnShape, ...] | None:
    """Return the columns of a view; None if a star hides some."""
    first = next((block for block in statement.blocks if block.role is Role.RESULT), None)
    if first is None or any(output.star or not output.name for output in first.outputs):
        return None
    return tuple(ColumnShape(output.name.lower()) for output in first.outputs)


def _is_within(inner: Span, outer: Span) -> bool:
    return outer.begin <= inner.begin and inner.end <= outer.end
