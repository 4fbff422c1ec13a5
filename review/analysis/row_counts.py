"""Judges which row sources have one row or few rows, whatever the tables contain."""

from __future__ import annotations

from review.analysis.conditions import FILTERS
from review.builtin_functions import BUILT_IN
from review.facts import Block, Column, OperandKind, Operator, Predicate, Source, Statement

_ONE_ROW_TABLES = frozenset({"dual", "sys.dual", "system.one"})
_MAX_DEPTH = 20


def has_few_rows(
    statement: Statement, source: Source, known: dict[int, bool], few: dict[int, bool], depth: int = 0
) -> bool:
    """Whether its rows are constants, or one of each branch of a UNION: no table multiplies them.

    Constants are SELECTs without FROM, VALUES and table functions, also within subqueries and recursive CTEs.
    `few` caches the result by block.
    """
    if source.table:
        return source.table.lower() in _ONE_ROW_TABLES
    if not source.blocks:
        return has_no_table(source) or any(cte.name == source.cte for cte in statement.ctes)
    if depth > _MAX_DEPTH:
        return False
    for index in source.blocks:
        if index not in few:
            few[index] = False
            block = statement.blocks[index]
            few[index] = _gives_one_row(statement, block, known, depth) or all(
                has_few_rows(statement, inner, known, few, depth + 1) for inner in block.sources
            )
    return all(few[index] for index in source.blocks)


def has_no_table(source: Source) -> bool:
    """Whether it is VALUES or a table function: few rows, or rows derived from another source's row."""
    return not source.table and not source.blocks and not source.cte


def has_one_row(statement: Statement, source: Source, known: dict[int, bool], depth: int = 0) -> bool:
    """Whether it has, or may have, at most one row; `known` caches the result by block."""
    if source.table.lower() in _ONE_ROW_TABLES:
        return True
    if len(source.blocks) != 1 or depth > _MAX_DEPTH:
        return False
    index = source.blocks[0]
    if index not in known:
        known[index] = False  # a recursive CTE
        known[index] = _gives_one_row(statement, statement.blocks[index], known, depth)
    return known[index]


def _gives_one_row(statement: Statement, block: Block, known: dict[int, bool], depth: int) -> bool:
    return (
        block.aggregated
        or _perhaps_aggregated(block)
        or block.limit == 1
        or _constant_rows(block)
        or any(_numbers_one_row(statement, predicate, block) for predicate in block.predicates)
        or all(has_one_row(statement, inner, known, depth + 1) for inner in block.sources)
    )


def _constant_rows(block: Block) -> bool:
    """Whether it returns one row: grouped by constants only, or DISTINCT constants."""
    if block.group:
        return all(
            operand.sort in FILTERS and (operand.string or operand.value is None) for operand in block.group
        )
    return block.distinct is not None and all(
        not output.star and output.operand.sort in FILTERS for output in block.outputs
    )


def _perhaps_aggregated(block: Block) -> bool:
    """Whether its outputs are only calls of functions that may be user-defined aggregates."""
    return (
        not block.grouped
        and all(not output.star and output.operand.sort is not OperandKind.COLUMN for output in block.outputs)
        and any(not BUILT_IN.issuperset(output.operand.functions) for output in block.outputs)
    )


def _numbers_one_row(statement: Statement, predicate: Predicate, block: Block) -> bool:
    """Whether a condition selects one row: `ROWNUM = 1`, `ROW_NUMBER() OVER (ORDER BY x) = 1`."""
    first = predicate.operator in (Operator.EQ, Operator.LE) and [
        right.value for right in predicate.rights
    ] == ["1"]
    if not first:
        return False
    if _is_row_number(block, *predicate.left.at):
        return True
    column = predicate.left.columns[0] if predicate.left.sort is OperandKind.COLUMN else None
    return column is not None and (column.key == "rownum" or _is_numbered(statement, column))


def _is_numbered(statement: Statement, column: Column) -> bool:
    """Whether a column is the row number of a subquery."""
    if column.block is None or column.source is None:
        return False
    source = statement.blocks[column.block].sources[column.source]
    inner = statement.blocks[source.blocks[0]] if len(source.blocks) == 1 else None
    return inner is not None and any(
        output.name.lower() == column.key and _is_row_number(inner, *output.operand.at)
        for output in inner.outputs
    )


def _is_row_number(block: Block, begin: int, end: int) -> bool:
    """Whether the expression at a position numbers all rows of a block."""
    return any(
        window.function == "row_number" and not window.partition and tuple(window.at) == (begin, end)
        for window in block.windows
    )
