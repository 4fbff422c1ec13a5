"""MC-P02: partition-pruning-disabled."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.partition_filters import FilterEffect, PartitionFilter
from review.analysis.partition_pruning import PartitionedRead, partitioned_reads
from review.facts import Operator
from review.rules.api import WAREHOUSE, Hit, Options, RuleContext, Text, rule


@rule(
    "MC-P02",
    "partition-pruning-disabled",
    Severity.BLOCK,
    dialects=WAREHOUSE,
    fix=Text(
        "Compare the partition column itself with a constant or a scheduling parameter.",
        "请直接用分区列与常量或调度参数比较。",
    ),
)
def partition_pruning_disabled(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Partition filter cannot prune.

    ## What it does
    Reports reads of partitioned tables whose predicates on partition columns cannot prune: the column is
    inside a function, cast or expression; it is compared with a UDF, with `rand()` or with a column of the
    same table; the predicate is only in ON, for the preserved side of an outer join; it is combined by OR
    with a condition on other columns; LIKE starts with a wildcard; or it is only compared with the partition
    column of another table that is itself read in full. One effective predicate is enough (`=`, IN, BETWEEN,
    `>=`, `<=` with a constant, a parameter, MAX_PT or a deterministic built-in function). If the table is
    unknown, columns named `ds`, `dt` or `pt` only warn.

    ## Why
    The filter looks correct and the result is correct, but every partition is scanned: full cost and full
    duration.

    ## Given
    ```json
    {"project": "shop", "tables": {
      "shop.dwd_order_di": {"partitions": {"ds": "STRING"}, "columns": {"id": "BIGINT", "channel": "STRING"}},
      "shop.dwd_pay_di": {"partitions": {"ds": "STRING"}, "columns": {"id": "BIGINT"}}}}
    ```

    ## Bad
    ```sql
    SELECT id FROM dwd_order_di WHERE substr(ds, 1, 6) = '202405'
    ```
    ```sql
    SELECT o.id
    FROM dwd_order_di o
    LEFT JOIN dwd_pay_di p ON o.id = p.id AND o.ds = '${bizdate}' AND p.ds = '${bizdate}'
    ```
    ```sql
    SELECT id FROM dwd_order_di WHERE ds = '${bizdate}' OR channel = 'app'
    ```
    ```sql
    SELECT id FROM dwd_order_di WHERE ds LIKE '%01'
    ```
    ```sql
    SELECT id FROM dwd_order_di WHERE ds = my_udf('${bizdate}')
    ```

    ## Good
    ```sql
    SELECT id FROM dwd_order_di WHERE ds BETWEEN '20240501' AND '20240531'
    ```
    ```sql
    SELECT o.id
    FROM dwd_order_di o
    LEFT JOIN dwd_pay_di p ON o.id = p.id AND p.ds = '${bizdate}'
    WHERE o.ds = '${bizdate}'
    ```
    ```sql
    SELECT id FROM dwd_order_di WHERE ds = '${bizdate}' AND (channel = 'app' OR substr(ds, 7, 2) = '01')
    ```
    ```sql
    SELECT o.id FROM dwd_order_di o JOIN dwd_pay_di p ON o.id = p.id AND o.ds = p.ds WHERE p.ds = '${bizdate}'
    ```

    ## Options
    None.

    ## Known limits
    A subquery (`ds IN (SELECT …)`), and an equality with a column of a table without that partition column,
    count as pruning: MaxCompute can prune by them at run time, but does not always. `<>` and NOT IN without
    another predicate, and `GETDATE()`, are left to other rules (MC-P03, MC-C10). RLIKE is not checked. A
    predicate in ON of a LEFT JOIN that WHERE turns into an inner join is treated as part of a LEFT JOIN.
    """
    for reading in partitioned_reads(subject):
        if reading.filters and (not reading.pruned or _only_excludes(reading)):
            defeated = (found for found in reading.filters if found.effect is not FilterEffect.PRUNES)
            yield _hit(reading, next(defeated))


def _only_excludes(reading: PartitionedRead) -> bool:
    """Whether only `<>` or NOT IN prunes beside an ineffective predicate: nearly all partitions remain."""
    prunes = [
        found for found in reading.filters if found.effect in (FilterEffect.PRUNES, FilterEffect.JOINED)
    ]
    return 0 < len(prunes) < len(reading.filters) and all(
        found.predicate.operator in (Operator.NE, Operator.NOT_IN) for found in prunes
    )


def _hit(reading: PartitionedRead, found: PartitionFilter) -> Hit:
    table, column = reading.source.table, found.column
    reason = _reason(found)
    return Hit(
        found.predicate.at,
        Text(
            f"All partitions of {table} are read: {reason.en}.",
            f"会读取 {table} 的全部分区：{reason.zh}。",
        )
        if reading.known
        else Text(
            f"All partitions of {table} are read if {column} is its partition column: {reason.en}.",
            f"如果 {column} 是 {table} 的分区列，会读取其全部分区：{reason.zh}。",
        ),
        _fix(table, found),
        severity=None if reading.known else Severity.WARN,
        key=f"{table.lower()}.{column.lower()}",
    )


def _reason(found: PartitionFilter) -> Text:
    called = f"{found.detail}()" if found.detail else "an expression"
    called_zh = f"函数 {found.detail}() " if found.detail else "表达式"
    reason = _REASONS[found.effect]
    return Text(
        reason.en.format(column=found.column, called=called),
        reason.zh.format(column=found.column, called=called_zh),
    )


_UNKNOWN = Text(
    "{column} is compared with {called}, whose value is unknown before the run",
    "分区列 {column} 与{called}比较，其值在运行前未知",
)
_REASONS = {
    FilterEffect.FUNCTION: Text("{column} is inside {called}", "分区列 {column} 位于{called}中"),
    FilterEffect.UDF: _UNKNOWN,
    FilterEffect.RANDOM: _UNKNOWN,
    FilterEffect.PRESERVED: Text(
        "the condition on {column} is in ON, for the preserved side of the outer join",
        "分区列 {column} 的条件写在外连接保留侧的 ON 中",
    ),
    FilterEffect.ALTERNATIVE: Text(
        "the condition on {column} is combined by OR with one on other columns",
        "分区列 {column} 的条件与其他列的条件用 OR 相连",
    ),
    FilterEffect.WILDCARD: Text(
        "LIKE on {column} starts with a wildcard", "分区列 {column} 的 LIKE 以通配符开头"
    ),
    FilterEffect.SAME_SOURCE: Text(
        "{column} is compared with a column of the same table",
        "分区列 {column} 与同一张表的其他列比较",
    ),
    FilterEffect.JOINED: Text(
        "{column} is only compared with a column of a table that is itself read in full",
        "分区列 {column} 只与另一张全量读取的表的列比较",
    ),
}


def _fix(table: str, found: PartitionFilter) -> Text:
    example = f"{found.column} = '${{bizdate}}'"
    if found.effect is FilterEffect.PRESERVED:
        return Text(
            f"Move the condition on {found.column} of {table} to WHERE, or into a subquery.",
            f"请把 {table} 的 {found.column} 条件移到 WHERE 或子查询中。",
        )
    return Text(
        f"Compare {found.column} of {table} itself with a constant or a parameter, e.g. {example}.",
        f"请直接用 {table} 的分区列 {found.column} 与常量或参数比较，例如 {example}。",
    )
