"""MC-C14: say which rows."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.facts import Script, Write, Written
from workers.review.rules.names import temporary
from workers.review.rules.rule import Hit, Options, Subject, Text, rule


@rule(
    "MC-C14",
    "missing-where",
    Severity.BLOCK,
    fix=Text("Add a WHERE that names the rows that are meant.", "补充 WHERE 条件，写明要处理的行。"),
)
def missing_where(subject: Subject, _: Options) -> Iterator[Hit]:
    """UPDATE or DELETE without WHERE.

    ## What it does
    Finds UPDATE and DELETE that no WHERE narrows, or whose WHERE is always true (`WHERE 1 = 1`).

    ## Why
    Every row of the table is changed or lost.

    ## Bad
    ```sql
    DELETE FROM dwd_order_delta;
    ```
    ```sql
    UPDATE dwd_order_delta SET status = 'CLOSED';
    ```

    ## Good
    ```sql
    DELETE FROM dwd_order_delta WHERE ds = '${bizdate}';
    ```
    ```hologres
    DELETE FROM ads_shop_gmv;
    INSERT INTO ads_shop_gmv SELECT shop_id, SUM(amount) FROM dwd_order GROUP BY shop_id;
    ```

    ## Options
    None.

    ## Known limits
    A DELETE of everything is accepted when the script fills the table again afterwards, or when the table is
    named as a temporary one. A condition that happens to hold for every row is not recognised.
    """
    for index, statement in enumerate(subject.script.statements):
        for write in statement.writes:
            if not write.filtered and not _meant(subject.script, index, write):
                yield Hit(write.at, _message(write), key=write.table)


def _meant(script: Script, index: int, write: Write) -> bool:
    if write.how is Written.DELETE:
        return temporary(write.table) or script.filled_after(index, write.table)
    return write.how is not Written.UPDATE or temporary(write.table)


def _message(write: Write) -> Text:
    if write.how is Written.DELETE:
        return Text(
            f"DELETE removes every row of {write.table}: no WHERE narrows it.",
            f"DELETE 会删除 {write.table} 的所有行：没有 WHERE 限定。",
        )
    return Text(
        f"UPDATE changes every row of {write.table}: no WHERE narrows it.",
        f"UPDATE 会修改 {write.table} 的所有行：没有 WHERE 限定。",
    )
