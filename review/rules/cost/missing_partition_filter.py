"""MC-P01: missing-partition-filter."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.naming import is_likely_partitioned, is_temporary
from review.analysis.partition_pruning import PartitionedRead, partitioned_reads
from review.analysis.scheduling_dates import is_date_name
from review.facts import Block, OperandKind, Operator, Predicate, RemovedKind, Statement
from review.rules.api import WAREHOUSE, Hit, Options, RuleContext, Text, rule


@rule(
    "MC-P01",
    "missing-partition-filter",
    Severity.BLOCK,
    dialects=WAREHOUSE,
    fix=Text(
        "Filter the table by its partition column, e.g. ds = '${bizdate}'.",
        "按分区列过滤该表，例如 ds = '${bizdate}'。",
    ),
)
def missing_partition_filter(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Partitioned table is read without a partition filter.

    ## What it does
    Reports reads of a partitioned table without a predicate on any of its partition columns: not in the query
    block that reads it, not in an outer block that filters the column passed on by a subquery or CTE, and not
    in ON for the nullable side of an outer join. `ds IS NOT NULL` does not count. A table is known to be
    partitioned from the catalogue, or from a CREATE or a `PARTITION(…)` of the same script. Otherwise a table
    whose name ends in `_di`, `_df`, `_hi` … only warns.

    ## Why
    Every partition ever written is scanned: the cost is that of the whole history, the run takes longer each
    day, and MaxCompute rejects it where full scans are forbidden.

    ## Given
    ```json
    {"project": "shop", "tables": {
      "shop.dwd_order_di": {"partitions": {"ds": "STRING"}, "columns": {"id": "BIGINT", "amount": "DOUBLE"}},
      "shop.dim_user": {"columns": {"id": "BIGINT", "city": "STRING"}}}}
    ```

    ## Bad
    ```sql
    SELECT id, amount FROM dwd_order_di WHERE amount > 0
    ```
    ```sql
    SELECT o.id, u.city
    FROM dim_user u
    JOIN dwd_order_di o ON o.id = u.id AND o.ds IS NOT NULL
    ```
    ```sql
    WITH o AS (SELECT id, ds FROM dwd_order_di)
    SELECT id FROM o
    ```

    ## Good
    ```sql
    SELECT id, amount FROM dwd_order_di WHERE ds = '${bizdate}' AND amount > 0
    ```
    ```sql
    SELECT u.id, o.amount
    FROM dim_user u
    LEFT JOIN dwd_order_di o ON o.id = u.id AND o.ds = '${bizdate}'
    ```
    ```sql
    WITH o AS (SELECT id, ds AS day FROM dwd_order_di)
    SELECT id FROM o WHERE day BETWEEN '$[yyyymmdd-7]' AND '${bizdate}'
    ```

    ## Options
    None.

    ## Known limits
    A predicate on one of several partition columns is enough. A view is checked where it is created: it may
    leave the filter to its readers if it passes a partition column on. Whether an existing predicate prunes
    is checked by MC-P02. A CTE that is used twice needs a filter in each use, or inside. A temporary table
    (`*_tmp`) that the script itself has written may be read in full. Whether the whole history is meant to be
    read is not known.
    """
    known: dict[int, bool] = {}
    for reading in partitioned_reads(subject):
        if reading.filters or reading.pruned or _reads_no_row(reading, known):
            continue
        if reading.known:
            if not _passes_through(subject, reading):
                yield _hit(reading)
        elif _looks_partitioned(reading):
            yield _guess(reading)


def _reads_no_row(reading: PartitionedRead, known: dict[int, bool]) -> bool:
    """Whether a query around a read has no row; `known` says which statements have such a query."""
    statement = reading.statement
    if id(statement) not in known:
        known[id(statement)] = any(map(_has_no_row, statement.blocks))
    return known[id(statement)] and any(map(_has_no_row, _around(reading)))


def _has_no_row(block: Block) -> bool:
    """Whether a query asks for the columns only: `WHERE 1 = 0`."""
    return any(
        predicate.operator is Operator.EQ
        and all(operand.sort is OperandKind.LITERAL for operand in predicate.operands)
        and len({operand.value for operand in predicate.operands}) > 1
        for predicate in block.predicates
    )


def _passes_through(subject: RuleContext, reading: PartitionedRead) -> bool:
    """Whether it reads a temporary table (`*_tmp`) that the script itself has written before."""
    table = reading.source.table
    return is_temporary(table) and any(
        subject.script.same(table, name)
        for statement in subject.script.statements
        if statement.at < reading.statement.at
        for name in _renewed(statement)
    )


def _renewed(statement: Statement) -> Iterator[str]:
    """Yield the tables that a statement fills or empties."""
    yield from (write.table for write in statement.writes)
    yield from (
        gone.name for gone in statement.removals if gone.what in (RemovedKind.ROWS, RemovedKind.TABLE)
    )


def _hit(reading: PartitionedRead) -> Hit:
    table, columns = reading.source.table, ", ".join(reading.partitions)
    zh_columns = "、".join(reading.partitions)
    example = f"{reading.partitions[0]} = '${{bizdate}}'"
    return Hit(
        reading.source.at,
        Text(
            f"All partitions of {table} are read: no filter on the partition column {columns}."
            if len(reading.partitions) == 1
            else f"All partitions of {table} are read: no filter on the partition columns {columns}.",
            f"读取了 {table} 的全部分区：没有对分区列 {zh_columns} 的过滤条件。",
        ),
        Text(
            f"Filter {table} by its partition column {reading.partitions[0]}, e.g. {example}.",
            f"请按分区列 {reading.partitions[0]} 过滤 {table}，例如 {example}。",
        ),
        key=table.lower(),
    )


def _guess(reading: PartitionedRead) -> Hit:
    table = reading.source.table
    return Hit(
        reading.source.at,
        Text(
            f"By its name {table} is likely partitioned, but no partition column is filtered.",
            f"从名称看 {table} 很可能是分区表，但没有分区过滤条件。",
        ),
        Text(
            f"If {table} is partitioned, filter it by its partition column, e.g. ds = '${{bizdate}}'.",
            f"如果 {table} 是分区表，请按分区列过滤，例如 ds = '${{bizdate}}'。",
        ),
        severity=Severity.WARN,
        key=table.lower(),
    )


def _looks_partitioned(reading: PartitionedRead) -> bool:
    table = reading.source.table
    if not is_likely_partitioned(table) or is_temporary(table):
        return False
    return not any(
        _perhaps_filters(predicate) for block in _around(reading) for predicate in block.predicates
    )


def _perhaps_filters(predicate: Predicate) -> bool:
    """Whether a condition may be the partition filter: the name of the partition column is unknown."""
    return (
        predicate.operator is Operator.ANY_OF
        or any(operand.sort in (OperandKind.PARAMETER, OperandKind.MAX_PT) for operand in predicate.operands)
        or (
            predicate.operator is not Operator.IS_NOT_NULL
            and any(is_date_name(column.name) for column in predicate.columns)
        )
    )


def _around(reading: PartitionedRead) -> Iterator[Block]:
    """Yield the block that reads the table and its enclosing blocks."""
    blocks = reading.statement.blocks
    index = next((number for number, block in enumerate(blocks) if reading.source in block.sources), None)
    while index is not None:
        yield blocks[index]
        index = blocks[index].parent
