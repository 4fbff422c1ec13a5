"""The lineage of a script: the tables and columns of its statements."""

from __future__ import annotations

from collections.abc import Iterator

from review.facts import Operand, Script, Statement
from review.lineage.column_trace import ColumnTrace
from review.lineage.model import ColumnLineage, TableLineage, TableWrite
from review.tables.catalog import TableCatalog


def table_lineage(script: Script) -> tuple[TableLineage, ...]:
    """Return the tables that each statement reads and writes; statements that do neither are left out."""
    found = (_tables(statement) for statement in script.statements)
    return tuple(item for item in found if item.reads or item.writes)


def column_lineage(script: Script) -> tuple[ColumnLineage, ...]:
    """Return the source columns of each written column, for every write with a query or assignments.

    Stars are expanded if their columns are known: from `script.given`, from a CREATE in the script, or from a
    subquery or CTE that lists them.
    """
    catalog = TableCatalog(script)
    return tuple(item for statement in script.statements for item in _columns(statement, catalog))


def statement_lineage(script: Script) -> Iterator[tuple[Statement, TableLineage, tuple[ColumnLineage, ...]]]:
    """Yield the statements that read or write tables, each with its tables and columns."""
    catalog = TableCatalog(script)
    for statement in script.statements:
        found = _tables(statement)
        if found.reads or found.writes:
            yield statement, found, tuple(_columns(statement, catalog))


def _columns(statement: Statement, catalog: TableCatalog) -> Iterator[ColumnLineage]:
    for write in statement.writes:
        yield from ColumnTrace(statement, catalog).traced_columns(write)


def _tables(statement: Statement) -> TableLineage:
    names = [source.table for _, source in statement.reads()]
    names += [made.like for made in statement.creations if made.like]
    reads: dict[str, str] = {}
    for name in names:
        reads.setdefault(name.lower(), name)
    writes = tuple(
        TableWrite(
            write.table, write.kind, tuple((part.column, _value(part.value)) for part in write.partition)
        )
        for write in statement.writes
        if write.table
    )
    return TableLineage(statement.at, tuple(reads.values()), writes)


def _value(operand: Operand | None) -> str | None:
    return operand.value if operand else None
