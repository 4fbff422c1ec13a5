"""MC-C16: unstable-row-number."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.facts import Column, Operand, OperandKind, WindowCall
from review.rules.api import Hit, Options, RuleContext, Text, rule

_NUMBERS = frozenset({"row_number"})
_TIES = frozenset(
    {OperandKind.LITERAL, OperandKind.PARAMETER, OperandKind.CONSTANT, OperandKind.NULL, OperandKind.QUERY}
)


@rule(
    "MC-C16",
    "unstable-row-number",
    Severity.INFO,
    fix=Text(
        "Order by columns that distinguish the rows of a group, with a unique key last.",
        "按能区分组内各行的列排序，最后加上唯一键。",
    ),
)
def unstable_row_number(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """ROW_NUMBER without a deterministic order.

    ## What it does
    Reports ROW_NUMBER() if its OVER has no ORDER BY, orders by a constant, or orders only by columns of its
    PARTITION BY: all rows of a group are then equal.

    ## Why
    The row with number 1 is arbitrary. `WHERE rn = 1` may keep a different row in every run.

    ## Bad
    ```sql
    SELECT user_id, ROW_NUMBER() OVER (PARTITION BY user_id) AS rn
    FROM ods_user_di WHERE ds = '${bizdate}';
    ```
    ```sql
    SELECT user_id, ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY user_id) AS rn
    FROM ods_user_di WHERE ds = '${bizdate}';
    ```

    ## Good
    ```sql
    SELECT user_id, ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY update_time DESC, id) AS rn
    FROM ods_user_di WHERE ds = '${bizdate}';
    ```

    ## Options
    None.

    ## Known limits
    Whether the columns of an ORDER BY are unique is unknown. ORDER BY RAND() is considered intended.
    """
    for statement in subject.script.statements:
        for block in statement.blocks:
            for window in block.windows:
                if window.function in _NUMBERS and all(_ties(window, operand) for operand in window.order):
                    yield Hit(window.at, _message(window))


def _ties(window: WindowCall, operand: Operand) -> bool:
    """Whether all rows of a group are equal in an order by `operand`."""
    if operand.sort in _TIES:
        return True
    parts = {
        _name(one.columns[0]) for one in window.partition if one.sort is OperandKind.COLUMN and one.columns
    }
    return operand.sort is OperandKind.COLUMN and all(_name(column) in parts for column in operand.columns)


def _name(column: Column) -> tuple[str, str]:
    return column.qualifier.lower(), column.key


def _message(window: WindowCall) -> Text:
    if not window.order:
        return Text(
            "ROW_NUMBER without ORDER BY numbers the rows arbitrarily.",
            "ROW_NUMBER 没有 ORDER BY，行号是随机的。",
        )
    return Text(
        "This ORDER BY does not distinguish the rows of a group, so ROW_NUMBER is arbitrary.",
        "该 ORDER BY 无法区分组内的各行，ROW_NUMBER 的结果是随机的。",
    )
