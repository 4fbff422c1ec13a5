"""MC-N06: definition-in-schedule."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.naming import is_temporary
from review.analysis.table_set import TableSet
from review.facts import AlterKind, CreatedKind, RemovedKind, Script
from review.facts.python import TableAccessKind
from review.rules.api import SQL, Hit, Options, RuleContext, Text, rule

_CHANGES = frozenset({AlterKind.ADD_COLUMNS, AlterKind.CHANGE_COLUMN, AlterKind.RENAME_COLUMN})


@rule(
    "MC-N06",
    "definition-in-schedule",
    Severity.INFO,
    dialects=SQL,
    fix=Text(
        "Write IF NOT EXISTS, or change the table once in table management.",
        "使用 IF NOT EXISTS，或在表管理中一次性变更。",
    ),
)
def definition_in_schedule(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Scheduled node defines or changes a table.

    ## What it does
    Reports CREATE TABLE without IF NOT EXISTS, and ALTER TABLE that adds, changes or renames columns, in
    scheduled nodes.

    ## Why
    The second run fails because the table or column already exists.

    ## Bad
    ```sql
    CREATE TABLE dwd_trade_order_di (order_id BIGINT) PARTITIONED BY (ds STRING) LIFECYCLE 90;
    ```
    ```sql
    ALTER TABLE dwd_trade_order_di ADD COLUMNS (city STRING COMMENT 'city');
    ```

    ## Good
    ```sql
    CREATE TABLE IF NOT EXISTS dwd_trade_order_di (order_id BIGINT) PARTITIONED BY (ds STRING) LIFECYCLE 90;
    ```
    ```sql
    DROP TABLE IF EXISTS tmp_order;
    CREATE TABLE tmp_order LIFECYCLE 1 AS SELECT order_id FROM dwd_trade_order_di WHERE ds = '${bizdate}';
    ```

    ## Options
    None.

    ## Known limits
    A table that the script also drops, before or after, is recreated by each run and is allowed. Tables with
    a parameter in their name differ in each run and are allowed too.
    """
    script = subject.script
    if not script.context.node.scheduled:
        return
    dropped = TableSet(script, _dropped(script))
    for statement in script.statements:
        for made in statement.creations:
            again = made.name in dropped or _dropped_by_call(script, made.name)
            fresh = made.exists or made.replace or made.temporary or again
            if made.what is CreatedKind.TABLE and not fresh and not any(mark in made.name for mark in "${[%"):
                yield Hit(
                    made.at,
                    Text(
                        f"{made.name} is created without IF NOT EXISTS: the second run fails.",
                        f"创建 {made.name} 时没有 IF NOT EXISTS，第二次运行会失败。",
                    ),
                    key=made.name.lower(),
                )
        for change in statement.alterations:
            if change.what in _CHANGES and not is_temporary(change.table):
                yield Hit(
                    change.at,
                    Text(
                        f"Every run changes the columns of {change.table} again.",
                        f"每次运行都会再次变更 {change.table} 的列。",
                    ),
                    key=change.table.lower(),
                )


def _dropped(script: Script) -> Iterator[str]:
    for statement in script.statements:
        yield from (gone.name for gone in statement.removals if gone.what is RemovedKind.TABLE)


def _dropped_by_call(script: Script, table: str) -> bool:
    return any(
        access.act is TableAccessKind.DROP and script.may_refer_to(access.table, table)
        for access in script.python.accesses
    )
