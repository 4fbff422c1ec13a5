"""MC-N03: missing-lifecycle."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.table_set import TableSet
from review.facts import AlterKind, CreatedKind, Creation, Script
from review.rules.api import MAXCOMPUTE, Hit, Options, RuleContext, Text, rule


@rule(
    "MC-N03",
    "missing-lifecycle",
    Severity.WARN,
    dialects=MAXCOMPUTE,
    fix=Text(
        "Add LIFECYCLE with the number of days that the data is needed.",
        "添加 LIFECYCLE，注明数据需要保留的天数。",
    ),
)
def missing_lifecycle(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Table is created without LIFECYCLE.

    ## What it does
    Reports CREATE TABLE and CREATE TABLE AS of MaxCompute without LIFECYCLE, also for temporary tables.

    ## Why
    A table without a lifecycle keeps every partition forever, and its storage is billed long after the last
    reader is gone. Temporary tables are forgotten first.

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
    External tables contain no data and need no lifecycle. A later ALTER TABLE … SET LIFECYCLE in the same
    script is enough. A default lifecycle of the project is unknown here.
    """
    script = subject.script
    set_later = TableSet(script, _set_later(script))
    for statement in script.statements:
        for made in statement.creations:
            if made.what is CreatedKind.TABLE and _needs_lifecycle(made) and made.name not in set_later:
                yield Hit(
                    made.at,
                    Text(
                        f"{made.name} is created without LIFECYCLE, so its data is kept forever.",
                        f"创建 {made.name} 时没有设置 LIFECYCLE，数据将永久保留。",
                    ),
                    key=made.name.lower(),
                )


def _needs_lifecycle(made: Creation) -> bool:
    return made.lifecycle is None and not made.like and not made.external


def _set_later(script: Script) -> Iterator[str]:
    for statement in script.statements:
        yield from (change.table for change in statement.alterations if change.what is AlterKind.LIFECYCLE)
