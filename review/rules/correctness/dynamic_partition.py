"""MC-C12: dynamic-partition."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.facts import Block, Column, OperandKind, Output, Statement, Write, WriteKind
from review.rules.api import WAREHOUSE, Hit, Options, RuleContext, Text, rule

_INSERTS = frozenset({WriteKind.INSERT, WriteKind.OVERWRITE})
_MAX_DEPTH = 20


@rule(
    "MC-C12",
    "dynamic-partition",
    Severity.WARN,
    dialects=WAREHOUSE,
    fix=Text(
        "End the query with the dynamic partition columns in order, and restrict the rows that it reads.",
        "让查询以动态分区列结尾并保持顺序，同时限定读取的数据范围。",
    ),
)
def dynamic_partition(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Dynamic partition column is not last, or its values are unbounded.

    ## What it does
    Reports INSERT into dynamic partitions if the query does not end with the partition columns in order, if
    PARTITION has a static value after a dynamic one, or if the partition values come from a table that is
    read in full, without any condition.

    ## Why
    The last columns of the query become the partition, whatever their names: with another column at the end,
    amounts or ids become partitions. Each distinct value creates a partition: an unbounded query creates
    thousands, until the job fails at the limit.

    ## Bad
    ```sql
    INSERT OVERWRITE TABLE dwd_order_di PARTITION (ds)
    SELECT order_id, ds, amount FROM ods_order_di WHERE ds = '${bizdate}';
    ```
    ```sql
    INSERT OVERWRITE TABLE dwd_order_di PARTITION (ds)
    SELECT order_id, amount, TO_CHAR(create_time, 'yyyymmdd') AS ds FROM ods_order;
    ```

    ## Good
    ```sql
    INSERT OVERWRITE TABLE dwd_order_di PARTITION (ds)
    SELECT order_id, amount, ds FROM ods_order_di WHERE ds = '${bizdate}';
    ```

    ## Options
    None.

    ## Known limits
    Any condition or LIMIT between the table and the output counts as a bound, whatever it compares. Outputs
    without a name, or with names other than those of the partition columns, are assumed to be in the right
    order.
    """
    for statement in subject.script.statements:
        for write in statement.writes:
            dynamic = [item.column.lower() for item in write.partition if item.value is None]
            if write.kind not in _INSERTS or not dynamic:
                continue
            yield from _static_after_dynamic(write)
            for index in write.blocks:
                yield from _not_last(write, statement.blocks[index], dynamic)
                yield from _unbounded(statement, index, dynamic)


def _static_after_dynamic(write: Write) -> Iterator[Hit]:
    kinds = [item.value is None for item in write.partition]
    first = kinds.index(True)
    for item in write.partition[first:]:
        if item.value is not None:
            column = write.partition[first].column
            message = Text(
                f"The static partition {item.column} of {write.table} follows the dynamic {column}.",
                f"{write.table} 的静态分区 {item.column} 写在动态分区 {column} 之后。",
            )
            yield Hit(item.at, message, _STATIC_FIRST, key=item.column)


_STATIC_FIRST = Text(
    "In PARTITION(…), write static partitions first and dynamic ones last.",
    "PARTITION(…) 中静态分区在前，动态分区在后。",
)


def _not_last(write: Write, block: Block, dynamic: list[str]) -> Iterator[Hit]:
    if write.columns or any(output.star for output in block.outputs):
        return
    last = block.outputs[-len(dynamic) :]
    for output, column in zip(last, dynamic, strict=False):
        if output.name.lower() == column:
            continue
        elsewhere = [other for other in block.outputs if other.name.lower() == column]
        if elsewhere:
            yield Hit(
                elsewhere[0].at,
                Text(
                    f"The partition column {column} of {write.table} must be in its position at the end.",
                    f"{write.table} 的分区列 {column} 不在查询末尾的对应位置。",
                ),
                key=column,
            )
            return


def _unbounded(statement: Statement, index: int, dynamic: list[str]) -> Iterator[Hit]:
    block = statement.blocks[index]
    for output, column in zip(block.outputs[-len(dynamic) :], dynamic, strict=False):
        if output.star or output.operand.sort not in (OperandKind.COLUMN, OperandKind.COMPUTED):
            continue
        table = _whole_table(statement, block, output, 0)
        if table:
            yield Hit(
                output.at,
                Text(
                    f"Every value of {column} in {table}, read without any condition, creates a partition.",
                    f"{table} 没有任何过滤条件，其中 {column} 的每个取值都会生成一个分区。",
                ),
                _BOUND,
                key=column,
            )
            return


_BOUND = Text("Add a condition on the rows to read.", "为读取的数据加上过滤条件。")


def _whole_table(statement: Statement, block: Block, output: Output, depth: int) -> str | None:
    """Return the table that an output's columns come from if no condition bounds its rows."""
    if block.predicates or block.limit is not None or depth > _MAX_DEPTH:
        return None
    for column in output.operand.columns:
        table = _origin(statement, column, depth)
        if table:
            return table
    return None


def _origin(statement: Statement, column: Column, depth: int) -> str | None:
    if column.block is None or column.source is None:
        return None
    source = statement.blocks[column.block].sources[column.source]
    if source.table:
        return None if source.partitions else source.table
    if len(source.blocks) != 1:
        return None
    inner = statement.blocks[source.blocks[0]]
    for output in inner.outputs:
        if output.name.lower() == column.key and not output.star:
            return _whole_table(statement, inner, output, depth + 1)
    return None
