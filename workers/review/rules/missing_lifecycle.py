"""MC-N03: every table has an end of life."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.facts import Altered, Creation, Made, Script
from workers.review.rules.rule import MAXCOMPUTE, Hit, Options, Subject, Text, rule
from workers.review.rules.tables import Tables


@rule(
    "MC-N03",
    "missing-lifecycle",
    Severity.WARN,
    dialects=MAXCOMPUTE,
    fix=Text(
        "Add LIFECYCLE with the days that its data is needed.", "添加 LIFECYCLE，注明数据需要保留的天数。"
    ),
)
def missing_lifecycle(subject: Subject, _: Options) -> Iterator[Hit]:
    """Table is created without LIFECYCLE.

    ## What it does
    Finds CREATE TABLE and CREATE TABLE AS of MaxCompute without LIFECYCLE, those of temporary tables too.

    ## Why
    A table without a lifecycle keeps every partition for ever, and its storage is paid for long after its
    last reader is gone. Temporary tables are forgotten first.

    ## Bad
    ```sql
    CREATE TABLE IF NOT EXISTS dwd_trade_order_di (order_id BIGINT) PARTITIONED BY (ds STRING);
    ```
    ```sql
    CREATE TABLE tmp_order AS SELECT order_id FROM dwd_trade_order_di WHERE ds = '${bizdate}';
    ```

    ## Good
    ```sql
    CREATE TABLE IF NOT EXISTS dwd_trade_order_di (order_id BIGINT) PARTITIONED BY (ds STRING) LIFECYCLE 365;
    ```
    ```sql
    CREATE TABLE tmp_order LIFECYCLE 3 AS SELECT order_id FROM dwd_trade_order_di WHERE ds = '${bizdate}';
    ```
    ```sql
    CREATE TABLE dwd_trade_order_bak LIKE dwd_trade_order_di;
    ```

    ## Options
    None.

    ## Known limits
    External tables hold no data and need none. A later ALTER TABLE … SET LIFECYCLE of the same script is
    enough. A lifecycle that the project itself sets for new tables is not known here.
    """
    script = subject.script
    mended = Tables(script, _set_later(script))
    for statement in script.statements:
        for made in statement.creations:
            if made.what is Made.TABLE and _endless(made) and made.name not in mended:
                yield Hit(
                    made.at,
                    Text(
                        f"{made.name} is created without LIFECYCLE, so its data is kept for ever.",
                        f"创建 {made.name} 时没有设置 LIFECYCLE，数据将永久保留。",
                    ),
                    key=made.name.lower(),
                )


def _endless(made: Creation) -> bool:
    return made.lifecycle is None and not made.like and not made.external


def _set_later(script: Script) -> Iterator[str]:
    for statement in script.statements:
        yield from (change.table for change in statement.alterations if change.what is Altered.LIFECYCLE)
