"""What lineage says of a statement and of a written column."""

from __future__ import annotations

from dataclasses import dataclass

from review.facts import Span, WriteKind

ALL_COLUMNS = "*"
"""Stands for all columns of a table whose columns are unknown, as read by a star."""


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
