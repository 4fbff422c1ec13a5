"""MC-P06: order-without-limit."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.facts import Block, Union
from review.rules.api import SQL, Hit, Options, RuleContext, Text, rule


@rule(
    "MC-P06",
    "order-without-limit",
    Severity.WARN,
    dialects=SQL,
    fix=Text(
        "Add LIMIT, remove ORDER BY, or use DISTRIBUTE BY … SORT BY.",
        "请加上 LIMIT，去掉 ORDER BY，或改用 DISTRIBUTE BY … SORT BY。",
    ),
)
def order_without_limit(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """ORDER BY without LIMIT.

    ## What it does
    Reports ORDER BY at the end of a query block without LIMIT. ORDER BY within OVER(…) and SORT BY are
    allowed.

    ## Why
    One worker sorts all rows, whatever their number. Rows written to a table have no order for their readers,
    so the sort has no effect. MaxCompute rejects it unless the project allows it.

    ## Bad
    ```sql
    INSERT OVERWRITE TABLE dws_order_1d PARTITION (ds = '${bizdate}')
    SELECT id, amount FROM dwd_order_di WHERE ds = '${bizdate}' ORDER BY amount DESC
    ```
    ```sql
    SELECT t.id FROM (SELECT id FROM dwd_order_di WHERE ds = '${bizdate}' ORDER BY id) t LIMIT 10
    ```

    ## Good
    ```sql
    SELECT id, amount FROM dwd_order_di WHERE ds = '${bizdate}' ORDER BY amount DESC LIMIT 100
    ```
    ```sql
    SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY amount DESC) AS place
    FROM dwd_order_di WHERE ds = '${bizdate}'
    ```
    ```sql
    SELECT id, amount FROM dwd_order_di WHERE ds = '${bizdate}' DISTRIBUTE BY id SORT BY id, amount
    ```

    ## Options
    None.

    ## Known limits
    A small number of rows, as after GROUP BY, is not recognised.
    """
    for statement in subject.script.statements:
        rows: tuple[Block | Union, ...] = (*statement.blocks, *statement.unions)
        for ordered in rows:
            if ordered.order is not None and ordered.limit is None:
                yield Hit(
                    ordered.order,
                    Text(
                        "ORDER BY without LIMIT sorts all rows in one worker.",
                        "ORDER BY 没有 LIMIT，全部数据由一个实例排序。",
                    ),
                )
