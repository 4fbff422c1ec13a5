"""MC-C16: ROW_NUMBER needs an order that decides."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.facts import Column, Operand, Sort, Window
from workers.review.rules.rule import Hit, Options, Subject, Text, rule

_NUMBERS = frozenset({"row_number"})
_TIES = frozenset({Sort.LITERAL, Sort.PARAMETER, Sort.CONSTANT, Sort.NULL, Sort.QUERY})


@rule(
    "MC-C16",
    "unstable-row-number",
    Severity.INFO,
    fix=Text(
        "Order by columns that tell the rows of a group apart, a key last.",
        "按能区分组内各行的列排序，最后加上唯一键。",
    ),
)
def unstable_row_number(subject: Subject, _: Options) -> Iterator[Hit]:
    """ROW_NUMBER without an order that decides.

    ## What it does
    Finds ROW_NUMBER() whose OVER has no ORDER BY, orders by a constant, or orders only by columns that it
    partitions by: all rows of a group are then equal.

    ## Why
    Which row gets number 1 is left to chance. `WHERE rn = 1` keeps another row in every run.

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
    Whether the columns of an ORDER BY are unique is not known; RAND() as an order is taken for a wish.
    """
    for statement in subject.script.statements:
        for block in statement.blocks:
            for window in block.windows:
                if window.function in _NUMBERS and all(_ties(window, operand) for operand in window.order):
                    yield Hit(window.at, _message(window))


def _ties(window: Window, operand: Operand) -> bool:
    """Whether an order by `operand` leaves the rows of a group equal."""
    if operand.sort in _TIES:
        return True
    parts = {_name(one.columns[0]) for one in window.partition if one.sort is Sort.COLUMN and one.columns}
    return operand.sort is Sort.COLUMN and all(_name(column) in parts for column in operand.columns)


def _name(column: Column) -> tuple[str, str]:
    return column.qualifier.lower(), column.key


def _message(window: Window) -> Text:
    if not window.order:
        return Text(
            "ROW_NUMBER without ORDER BY numbers the rows by chance.",
            "ROW_NUMBER 没有 ORDER BY，行号是随机的。",
        )
    return Text(
        "This ORDER BY cannot tell the rows of a group apart, so ROW_NUMBER is left to chance.",
        "该 ORDER BY 无法区分组内的各行，ROW_NUMBER 的结果是随机的。",
    )
