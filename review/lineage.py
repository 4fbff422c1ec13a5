"""Lineage from code: what each statement reads and writes, and the source columns of each written column.

Derived from the facts alone, so it works the same for every dialect. Unknown lineage is left out, never
guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from review.facts import (
    Block,
    Column,
    JoinKind,
    Operand,
    Output,
    Script,
    Source,
    Span,
    Statement,
    Write,
    WriteKind,
    table_key,
)
from review.tables.catalog import TableCatalog

ALL_COLUMNS = "*"
"""Stands for all columns of a table whose columns are unknown, as read by a star."""

_MAX_DEPTH = 60
"""Maximum nested queries through which a column is traced."""


@dataclass(frozen=True, slots=True)
class TableWrite:
    """A table that is written.

    Attributes:
        table: as written in the code.
        how: the kind of write.
        partition: its PARTITION(…): the value of each column as written (`${bizdate}`), None if it is dynamic
            or not a plain value.
    """

    table: str
    how: WriteKind
    partition: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class TableLineage:
    """The tables of one statement.

    Attributes:
        at: the statement.
        reads: tables that it reads, as written, each once, in text order.
        writes: tables that it writes, in text order.
    """

    at: Span
    reads: tuple[str, ...] = ()
    writes: tuple[TableWrite, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnLineage:
    """One written column.

    Attributes:
        at: the expression that computes it.
        table: the written table, as written in the code.
        column: its name in lower case; empty if unknown.
        sources: its source columns of tables, as (table, column in lower case), each once; `ALL_COLUMNS` as
            the column if only the table is known.
    """

    at: Span
    table: str
    column: str
    sources: tuple[tuple[str, str], ...] = ()


def table_lineage(script: Script) -> tuple[TableLineage, ...]:
    """Return the tables that each statement reads and writes; statements that do neither are left out."""
    found = (_tables(statement) for statement in script.statements)
    return tuple(item for item in found if item.reads or item.writes)


def column_lineage(script: Script) -> tuple[ColumnLineage, ...]:
    """Return the source columns of each written column, for every write whose rows come from a query.

    Stars are expanded if their columns are known: from `script.given`, from a CREATE in the script, or from a
    subquery or CTE that lists them.
    """
    catalog = TableCatalog(script)
    return tuple(
        item
        for statement in script.statements
        for write in statement.writes
        for item in _LineageTrace(statement, catalog).traced_columns(write)
    )


def _tables(statement: Statement) -> TableLineage:
    reads = dict.fromkeys(source.table for _, source in statement.reads())
    reads.update(dict.fromkeys(made.like for made in statement.creations if made.like))
    writes = tuple(
        TableWrite(
            write.table, write.kind, tuple((part.column, _value(part.value)) for part in write.partition)
        )
        for write in statement.writes
        if write.table
    )
    return TableLineage(statement.at, tuple(reads), writes)


def _value(operand: Operand | None) -> str | None:
    return operand.value if operand else None


@dataclass(frozen=True, slots=True)
class _TracedColumn:
    """An output column of a block: its name in lower case, and its source columns."""

    at: Span
    name: str
    sources: frozenset[tuple[str, str]]


class _LineageTrace:
    """Traces the columns of one statement to the tables they come from."""

    def __init__(self, statement: Statement, catalog: TableCatalog) -> None:
        self._blocks, self._catalog = statement.blocks, catalog
        self._outputs: dict[int, tuple[_TracedColumn, ...]] = {}

    def traced_columns(self, write: Write) -> Iterator[ColumnLineage]:
        """Yield the columns of one write; the branches of a UNION are merged by position."""
        branches = [self._of_block(index, 0) for index in write.blocks]
        names = self._names(write)
        for position, first in enumerate(branches[0] if branches else ()):
            made = frozenset[tuple[str, str]]().union(
                *(branch[position].sources for branch in branches if position < len(branch))
            )
            name = names[position] if position < len(names) else first.name
            yield ColumnLineage(first.at, write.table, name, tuple(sorted(made)))

    def _names(self, write: Write) -> tuple[str, ...]:
        dynamic = tuple(part.column.lower() for part in write.partition if part.value is None)
        if write.columns:
            return (*(name.lower() for name in write.columns), *dynamic)
        known = self._catalog.columns(write.table)
        if known is None or write.kind is WriteKind.CREATE:
            return ()
        partitions = self._catalog.partitions(write.table) or ()
        return (*(name for name in known if name not in partitions), *dynamic)

    def _of_block(self, index: int, depth: int) -> tuple[_TracedColumn, ...]:
        if (known := self._outputs.get(index)) is None:
            self._outputs[index] = ()  # ends the recursion of a recursive query
            block = self._blocks[index]
            known = tuple(
                made for output in block.outputs for made in self._of_output(block, output, depth + 1)
            )
            self._outputs[index] = known
        return known

    def _of_output(self, block: Block, output: Output, depth: int) -> Iterator[_TracedColumn]:
        if depth > _MAX_DEPTH:
            return
        if not output.star:
            yield _TracedColumn(output.at, output.name.lower(), self._of_operand(output.operand, depth))
            return
        for source in block.sources:
            if output.qualifier and source.alias.lower() != table_key(output.qualifier):
                continue
            if source.join_kind not in (JoinKind.SEMI, JoinKind.ANTI):
                yield from self._of_star(block, source, output.at, depth)

    def _of_star(self, block: Block, source: Source, at: Span, depth: int) -> Iterator[_TracedColumn]:
        if source.table:
            for name in self._catalog.columns(source.table) or (ALL_COLUMNS,):
                yield _TracedColumn(at, name, frozenset({(source.table, name)}))
        elif source.blocks:
            for position, made in enumerate(self._of_block(source.blocks[0], depth)):
                name = source.columns[position].lower() if position < len(source.columns) else made.name
                yield _TracedColumn(at, name, self._of_source(block, source, made.name, depth))
        else:
            for name in source.columns:
                yield _TracedColumn(at, name.lower(), self._of_source(block, source, name.lower(), depth))

    def _of_operand(self, operand: Operand, depth: int) -> frozenset[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for column in operand.columns:
            found |= self._of_column(column, depth)
        for index in operand.blocks:
            for made in self._of_block(index, depth):
                found |= made.sources
        return frozenset(found)

    def _of_column(self, column: Column, depth: int) -> frozenset[tuple[str, str]]:
        if column.block is None or column.source is None or depth > _MAX_DEPTH:
            return frozenset()
        block = self._blocks[column.block]
        return self._of_source(block, block.sources[column.source], column.key, depth)

    def _of_source(self, block: Block, source: Source, name: str, depth: int) -> frozenset[tuple[str, str]]:
        if source.table:
            return frozenset({(source.table, name)})
        if not source.blocks:
            return self._of_rows(block, source, depth)
        renamed = [given.lower() for given in source.columns]
        found: set[tuple[str, str]] = set()
        first = self._of_block(source.blocks[0], depth)
        names = [made.name for made in first]
        place = renamed.index(name) if name in renamed else names.index(name) if name in names else None
        for index in source.blocks:
            branch = self._of_block(index, depth)
            if place is not None and place < len(branch) and ALL_COLUMNS not in names:
                found |= branch[place].sources
            else:
                found |= _passed_column(branch, name)
        return frozenset(found)

    def _of_rows(self, block: Block, source: Source, depth: int) -> frozenset[tuple[str, str]]:
        """Return the sources of columns that a lateral view or function produces: those of its arguments."""
        return frozenset(
            item
            for call in block.calls
            if source.at.begin <= call.at.begin and call.at.end <= source.at.end
            for argument in call.arguments
            for item in self._of_operand(argument, depth + 1)
        )


def _passed_column(branch: tuple[_TracedColumn, ...], name: str) -> frozenset[tuple[str, str]]:
    """Return the sources of the branch's column `name`, or of its unexpanded stars."""
    exact = [made for made in branch if made.name == name]
    if exact:
        return exact[0].sources
    return frozenset(
        (table, name) for made in branch if made.name == ALL_COLUMNS for table, _ in made.sources
    )
