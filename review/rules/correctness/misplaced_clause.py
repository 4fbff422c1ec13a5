"""MC-C18: misplaced-clause."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.rules.api import WAREHOUSE, Hit, Options, RuleContext, Text, rule


@rule(
    "MC-C18",
    "misplaced-clause",
    Severity.WARN,
    dialects=WAREHOUSE,
    fix=Text("Write the clauses in the documented order.", "按文档规定的顺序书写各子句。"),
)
def misplaced_clause(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Clause in a position that the engine does not accept.

    ## What it does
    Reports WITH after INSERT, and clauses of CREATE TABLE (COMMENT, PARTITIONED BY, LIFECYCLE …) that are not
    in the documented order.

    ## Why
    MaxCompute's grammar rejects them, although other engines and many tools accept them: the node fails only
    at run time.

    ## Bad
    ```sql
    INSERT OVERWRITE TABLE dws_shop_1d PARTITION (ds = '${bizdate}')
    WITH paid AS (SELECT shop_id, amount FROM dwd_pay_di WHERE ds = '${bizdate}')
    SELECT shop_id, SUM(amount) FROM paid GROUP BY shop_id;
    ```
    ```sql
    CREATE TABLE IF NOT EXISTS dws_shop_1d (shop_id BIGINT COMMENT 'shop')
    LIFECYCLE 365
    COMMENT 'sales by shop'
    PARTITIONED BY (ds STRING COMMENT 'day');
    ```

    ## Good
    ```sql
    WITH paid AS (SELECT shop_id, amount FROM dwd_pay_di WHERE ds = '${bizdate}')
    INSERT OVERWRITE TABLE dws_shop_1d PARTITION (ds = '${bizdate}')
    SELECT shop_id, SUM(amount) FROM paid GROUP BY shop_id;
    ```
    ```sql
    CREATE TABLE IF NOT EXISTS dws_shop_1d (shop_id BIGINT COMMENT 'shop')
    COMMENT 'sales by shop'
    PARTITIONED BY (ds STRING COMMENT 'day')
    LIFECYCLE 365;
    ```

    ## Options
    None.

    ## Known limits
    The order follows the documentation. Some versions of the engine accept more.
    """
    for statement in subject.script.statements:
        for at, word in statement.misplaced:
            yield Hit(
                at,
                Text(
                    f"MaxCompute does not accept {word} in this position.",
                    f"{word} 的位置不符合 MaxCompute 的语法。",
                ),
                key=word,
            )
