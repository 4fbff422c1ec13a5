"""The breaking changes of new code: tables and columns of the catalogue that readers would lose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from common.snapshot import Column
from common.text.i18n import Text
from common.verdicts import Subject
from workers.checks.api import Lookups
from workers.checks.code_effects.model import ALL_COLUMNS, CodeEffects, ColumnShape, ColumnWrite, RebuiltTable
from workers.checks.code_effects.table_names import is_dynamic, table_guid
from workers.checks.column_types import is_widening
from workers.checks.subjects import column_subjects
from workers.dataworks.errors import NotFound, Permanent


@dataclass(frozen=True, slots=True)
class BreakingChange:
    """A table or column that is lost or changed for its readers.

    Attributes:
        column: empty for the whole table.
        effect: predicate of a sentence whose subject is its name: "is dropped".
        keeps_column: whether the column remains, but without values.
    """

    table: str
    column: str
    line: int
    effect: Text
    keeps_column: bool = False

    @property
    def name(self) -> str:
        """`project.table`, or `project.table.column`."""
        return f"{self.table}.{self.column}" if self.column else self.table

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The table, and the column if there is one."""
        return column_subjects(self.table, [self.column] if self.column else [])


@dataclass(slots=True)
class TableLookup:
    """The current columns of tables in the catalogue, each table looked up once.

    Attributes:
        unavailable: tables that could not be compared, with a description and the line.
        fault: the last refusal. It is raised when all other tables have been compared: the author
            chooses the tables, and one of them must not hide the others.
    """

    lookups: Lookups
    unavailable: list[tuple[str, Text, int]] = field(default_factory=list)
    fault: Permanent | None = None
    _known: dict[str, tuple[Column, ...] | None] = field(default_factory=dict)

    def columns(self, table: str) -> tuple[Column, ...] | None:
        """Return the columns of `table`; None if it does not exist or its project is unknown."""
        name = table_guid(table)
        if name is not None and table not in self._known:
            try:
                self._known[table] = self.lookups.table_info(name).columns
            except NotFound:
                self._known[table] = None
            except Permanent as error:
                self._known[table], self.fault = None, error
        return self._known.get(table)

    def by_name(self, table: str, line: int) -> Mapping[str, Column] | None:
        """Return the columns of `table` by name in lower case; None if there is nothing to compare with."""
        if table_guid(table) is None:
            about = "name is generated at run time" if is_dynamic(table) else "project is unknown"
            about_zh = "名称在运行时生成" if is_dynamic(table) else "所属项目未知"
            self.unavailable.append((table, Text(f"{table}, whose {about}", f"{table}，其{about_zh}"), line))
            return None
        columns = self.columns(table)
        return None if columns is None else {column.name.lower(): column for column in columns}


def altered_columns(done: CodeEffects, tables: TableLookup) -> Iterator[BreakingChange]:
    """Yield columns that an ALTER drops, renames or narrows."""
    for change in done.altered:
        if change.name == change.column and not change.type:
            continue  # only the comment or the position changes
        known = tables.by_name(change.table, change.line)
        column = known.get(change.column) if known else None
        if column is None:
            continue
        if how := _changed(column, change.name, change.type):
            yield BreakingChange(change.table, change.column, change.line, how)


def rebuilt_columns(done: CodeEffects, tables: TableLookup) -> Iterator[BreakingChange]:
    """Yield tables that are dropped, and columns that are missing or narrowed in recreated tables."""
    for table in done.rebuilt:
        known = tables.by_name(table.table, table.line)
        if known is None:
            continue
        if table.columns == ():
            how = Text(f"is renamed to {table.is_moved}", f"被重命名为 {table.is_moved}")
            yield BreakingChange(
                table.table, "", table.line, how if table.is_moved else Text("is dropped", "被删除")
            )
            continue
        shape = _expanded(table, tables)
        if shape is None:
            what = Text(
                f"{table.table}, which is recreated with columns that the code does not determine",
                f"{table.table} 被重建，但无法从代码中确定其字段",
            )
            tables.unavailable.append((table.table, what, table.line))
            continue
        for name, column in known.items():
            how_now = _changed(column, name if name in shape else "", shape.get(name, ""))
            if how_now:
                yield BreakingChange(table.table, name, table.line, how_now)


def unfilled_columns(
    before: Sequence[ColumnWrite], now: Sequence[ColumnWrite], tables: TableLookup
) -> Iterator[BreakingChange]:
    """Yield columns to which `before` writes values, and that `now` omits or sets to NULL.

    Columns are matched by position, as in an INSERT, unless it lists their names.
    """
    for table in dict.fromkeys(fill.table for fill in now):
        new = [fill for fill in now if fill.table == table]
        old = [fill for fill in before if fill.table == table]
        if not old or any(fill.open for fill in new):
            continue
        had = {name for fill in old for name in _filled_columns(fill, tables)}
        lost = had - {name for fill in new for name in _filled_columns(fill, tables)}
        handled = {name for fill in new for name in _listed_columns(fill, tables)}
        for name in sorted(lost):
            if name in handled or any(fill.listed for fill in new):
                how = Text(
                    "has values in production and is now set to NULL", "在生产版本中有值，现在只写入 NULL"
                )
                yield BreakingChange(table, name, new[0].line, how, keeps_column=True)


def _changed(column: Column, name: str, kind: str) -> Text | None:
    """Describe how the new `name` and type `kind` break readers of `column`; None if they do not."""
    if not name:
        return Text("is dropped", "被删除")
    if name != column.name.lower():
        return Text(f"is renamed to {name}", f"被重命名为 {name}")
    if kind and not is_widening(column.type, kind):
        return Text(f"is changed from {column.type} to {kind}", f"的类型由 {column.type} 改为 {kind}")
    return None


def _expanded(table: RebuiltTable, tables: TableLookup) -> dict[str, str] | None:
    """Return types by column, with stars expanded; None if the columns of a star are unknown."""
    shape: dict[str, str] = {}
    for item in table.columns or ():
        shape.update(_is_open(item, tables))
        if item.name == ALL_COLUMNS and tables.columns(item.type) is None:
            return None
    return None if table.columns is None else shape


def _is_open(item: ColumnShape, tables: TableLookup) -> list[tuple[str, str]]:
    if item.name != ALL_COLUMNS:
        return [(item.name, item.type)]
    return [(column.name.lower(), column.type) for column in tables.columns(item.type) or ()]


def _listed_columns(fill: ColumnWrite, tables: TableLookup) -> tuple[str, ...]:
    """Return the names of the columns that a write's query provides, in order."""
    if fill.listed:
        return fill.listed
    known = tables.columns(fill.table) or ()
    return tuple(column.name.lower() for column in known if not column.partition)


def _filled_columns(fill: ColumnWrite, tables: TableLookup) -> list[str]:
    names = _listed_columns(fill, tables)
    if fill.open:  # a star may fill any of them
        return list(names)
    return [name for name, empty in zip(names, fill.empty, strict=False) if not empty]
