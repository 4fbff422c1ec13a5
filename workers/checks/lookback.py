"""The number of days back that a node's SQL reads a table, where its text determines it."""

from __future__ import annotations

import time
from collections.abc import Iterable

from review.analysis.date_windows import resolve_run_day
from review.analysis.partition_filters import FilterEffect, PartitionFilter
from review.analysis.partition_pruning import PartitionedRead, partitioned_reads
from review.analysis.partition_slices import is_same_table
from review.context import ReviewContext, TableMetadata
from review.dialects import Dialect
from review.facts import OperandKind, Operator, Script
from review.gc_pause import gc_paused
from review.rules.api import RuleContext
from review.script_reader import TableSupplier, read_script
from review.tables.catalog import TableCatalog

SECONDS = 2.0
"""Time limit for parsing one node's code; the lookback of code that takes longer is unknown."""

_BUSINESS_DAY = -1
"""The business date of a run, in days relative to the day of the run."""

_FROM = frozenset({Operator.EQ, Operator.GE, Operator.GT, Operator.BETWEEN, Operator.IN})
"""Comparisons that have a first day."""


def lookback_days(code: str, table: str, project: str, partitions: Iterable[str]) -> int | None:
    """Return the most days before its business date that a node reads `table`.

    Args:
        code: code of the node; the result is None unless it is MaxCompute SQL.
        table: `project.table`.
        project: project of unqualified names.
        partitions: names of the table's partition columns.

    Returns:
        0 for the business date itself; None if the text does not determine it.
    """
    known = TableMetadata(partitions={name.lower(): "STRING" for name in partitions})
    with gc_paused():
        script = read_script(
            code,
            Dialect.MAXCOMPUTE,
            ReviewContext(project=project),
            TableSupplier(
                lambda names: {name: known for name in names if _qualified(name, project) == table.lower()}
            ),
            time.monotonic() + SECONDS,
        )
        if any(statement.unread for statement in script.statements):
            return None
        return _max_lookback(script, table)


def _qualified(name: str, project: str) -> str:
    return name.lower() if "." in name else f"{project}.{name}".lower()


def _max_lookback(script: Script, table: str) -> int | None:
    read_at = {
        source.at
        for statement in script.statements
        for _, source in statement.reads()
        if is_same_table(script, source.table, table)
    }
    seen = [
        reading
        for reading in partitioned_reads(RuleContext(script, TableCatalog(script)))
        if is_same_table(script, reading.source.table, table)
    ]
    if not seen or {reading.source.at for reading in seen} != read_at:
        return None
    firsts = [_first(script.code, reading) for reading in seen]
    days = [day for day in firsts if day is not None]
    return max(_BUSINESS_DAY - min(days), 0) if len(days) == len(firsts) else None


def _first(code: str, reading: PartitionedRead) -> int | None:
    """Return the first day that is read, relative to the day of the run; all filters apply (AND)."""
    days = [day for found in reading.filters if (day := _bound(code, found)) is not None]
    return max(days) if days and reading.pruned else None


def _bound(code: str, filters: PartitionFilter) -> int | None:
    predicate = filters.predicate
    if filters.effect is not FilterEffect.PRUNES or predicate.operator not in _FROM:
        return None
    if predicate.left.sort is not OperandKind.COLUMN or not predicate.rights:
        return None
    rights = predicate.rights if predicate.operator is Operator.IN else predicate.rights[:1]
    days = [resolve_run_day(code, right) for right in rights]
    known = [day for day in days if day is not None]
    return min(known) if len(known) == len(days) else None
