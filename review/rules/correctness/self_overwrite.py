"""MC-C02: self-overwrite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum, auto
from operator import ge, gt, le, lt

from common.verdicts import Severity
from review.analysis.partition_slices import (
    BlockTree,
    Constraint,
    constraints,
    is_filtered,
    is_same_table,
    operand_text,
    visible_as,
    written_values,
)
from review.analysis.scheduling_dates import resolve_day
from review.facts import Operand, OperandKind, Operator, Script, Statement, Write, WriteKind
from review.rules.api import Hit, Options, RuleContext, Text, rule


class _Overlap(Enum):
    """How a read slice relates to the written one, along one partition column."""

    SAME = auto()
    APART = auto()
    WITHIN = auto()
    """The written day is within the range of one condition; other conditions may still exclude it."""
    UNKNOWN = auto()


@rule(
    "MC-C02",
    "self-overwrite",
    Severity.WARN,
    fix=Text(
        "Write to a staging table first, or merge from another partition (yesterday's).",
        "先写入中间表，或改为读取其他分区（例如前一天的分区）再合并。",
    ),
)
def self_overwrite(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Overwrite reads the partition that it replaces.

    ## What it does
    Reports INSERT OVERWRITE whose query reads the slice that it replaces: the same partition, or every
    partition of the target.

    ## Why
    A second run reads the result of the first run instead of its input. Errors accumulate with every rerun or
    backfill: sums grow, filtered rows are lost for good, and no original data is left to start again from.

    ## Bad
    ```sql
    INSERT OVERWRITE TABLE dwd_user_df PARTITION (ds = '${bizdate}')
    SELECT user_id, MAX(level) AS level
    FROM (
        SELECT user_id, level FROM dwd_user_df WHERE ds = '${bizdate}'
        UNION ALL
        SELECT user_id, level FROM ods_user_di WHERE ds = '${bizdate}'
    ) u
    GROUP BY user_id;
    ```
    ```sql
    INSERT OVERWRITE TABLE dim_shop SELECT DISTINCT shop_id, shop_name FROM dim_shop;
    ```

    ## Good
    ```sql
    INSERT OVERWRITE TABLE dwd_user_df PARTITION (ds = '${bizdate}')
    SELECT user_id, MAX(level) AS level
    FROM (
        SELECT user_id, level FROM dwd_user_df WHERE ds = '${yesterday}'
        UNION ALL
        SELECT user_id, level FROM ods_user_di WHERE ds = '${bizdate}'
    ) u
    GROUP BY user_id;
    ```

    ## Options
    None.

    ## Known limits
    Partitions are compared by the day of their scheduling parameter (`${bizdate}`, `$[yyyymmdd-1]`), and
    otherwise by the text of their values; different texts count as different partitions. A range is reported
    if one of its inclusive bounds equals the written value, or if all of its bounds are such days and the
    written day is between them. Reports nothing if the partition that is read, or the one that a dynamic
    partition writes, is unknown.
    """
    for statement in subject.script.statements:
        tree = BlockTree(statement)
        for write in statement.writes:
            if write.kind is not WriteKind.OVERWRITE:
                continue
            for index in sorted(tree.contributing(write.blocks)):
                for place, source in enumerate(statement.blocks[index].sources):
                    if is_same_table(subject.script, source.table, write.table) and _overlaps(
                        subject.script, statement, write, (index, place)
                    ):
                        yield Hit(source.at, _message(write), key=write.table)


def _message(write: Write) -> Text:
    if not write.partition:
        return Text(
            f"INSERT OVERWRITE replaces {write.table} with rows that it reads from the same table.",
            f"INSERT OVERWRITE 用读取自 {write.table} 的数据覆盖该表本身。",
        )
    columns = ", ".join(item.column for item in write.partition)
    return Text(
        f"INSERT OVERWRITE reads the partition ({columns}) of {write.table} that it replaces.",
        f"INSERT OVERWRITE 读取了 {write.table} 中正在被覆盖的分区（{columns}）。",
    )


def _overlaps(script: Script, statement: Statement, write: Write, read: tuple[int, int]) -> bool:
    source = statement.blocks[read[0]].sources[read[1]]
    named = {item.column.lower(): item.value for item in source.partitions}
    for column, values in written_values(statement, write).items():
        compared = [*constraints(statement, *read, column)]
        if value := named.get(column):
            compared.append((Operator.EQ, (value,)))
        if _same_column(statement, values, read, column):
            continue
        if not compared and not is_filtered(statement, *read, column):
            continue
        if not values or _along(script, values, compared) is not _Overlap.SAME:
            return False
    return True


def _same_column(
    statement: Statement, values: tuple[Operand, ...], read: tuple[int, int], column: str
) -> bool:
    """Whether the values of a dynamic partition come from the column that is read."""
    seen = visible_as(statement, *read, column)
    return any(
        (bare.block, bare.source, bare.key) in seen
        for value in values
        if value.sort is OperandKind.COLUMN
        for bare in value.columns
    )


def _along(script: Script, values: tuple[Operand, ...], compared: list[Constraint]) -> _Overlap:
    found = {_one(script, values, operator, rights) for operator, rights in compared}
    if _Overlap.APART in found:
        return _Overlap.APART
    return _Overlap.SAME if _Overlap.SAME in found or found == {_Overlap.WITHIN} else _Overlap.UNKNOWN


def _one(
    script: Script, values: tuple[Operand, ...], operator: Operator, rights: tuple[Operand, ...]
) -> _Overlap:
    if any(right.sort in _UNKNOWN for right in rights):
        return _Overlap.UNKNOWN
    written = {operand_text(script, value) for value in values}
    hit = bool(written & {operand_text(script, right) for right in rights})
    if operator in (Operator.EQ, Operator.IN):
        return _Overlap.SAME if hit else _Overlap.APART
    if operator in (Operator.LT, Operator.GT, Operator.NE) and hit:
        return _Overlap.APART
    return _Overlap.SAME if hit and operator in _CLOSED else _by_day(values, operator, rights)


def _by_day(values: tuple[Operand, ...], operator: Operator, rights: tuple[Operand, ...]) -> _Overlap:
    found = [resolve_day(side.value or "") for side in (*values, *rights)]
    days = [day.days for day in found if day and not day.months]  # a month has no fixed number of days
    holds = _HOLDS.get(operator)
    if holds is None or len(values) != 1 or len(days) != 1 + len(rights):
        return _Overlap.UNKNOWN
    return _Overlap.WITHIN if holds(*days) else _Overlap.APART


_HOLDS: dict[Operator, Callable[..., bool]] = {
    Operator.LT: lt,
    Operator.LE: le,
    Operator.GT: gt,
    Operator.GE: ge,
    Operator.BETWEEN: lambda day, low, high: low <= day <= high,
}
_CLOSED = frozenset({Operator.BETWEEN, Operator.LE, Operator.GE})
_UNKNOWN = frozenset(
    {
        OperandKind.COLUMN,
        OperandKind.COMPUTED,
        OperandKind.MAX_PT,
        OperandKind.RUN_TIME,
        OperandKind.UNKNOWN_CALL,
        OperandKind.QUERY,
        OperandKind.NULL,
    }
)
