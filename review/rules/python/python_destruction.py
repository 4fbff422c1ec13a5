"""PY-007: python-destruction."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.naming import is_temporary
from review.dialects import Dialect
from review.facts import Script, Span
from review.facts.python import TableAccessKind
from review.facts.tables import NamePositions
from review.rules.api import Hit, Options, RuleContext, Text, rule

_REMOVALS = {
    TableAccessKind.DROP: ("drops {}", "删除了表 {}"),
    TableAccessKind.EMPTY: ("deletes all rows of {}", "清空了表 {}"),
    TableAccessKind.DROP_PARTITION: ("deletes a partition of {}", "删除了表 {} 的分区"),
}


@rule(
    "PY-007",
    "python-destruction",
    Severity.BLOCK,
    dialects=frozenset({Dialect.PYTHON}),
    fix=Text(
        "Rebuild it in the same script, write with overwrite=True, or run the call once manually.",
        "在同一脚本中重建，改用 overwrite=True 写入，或手工执行一次。",
    ),
)
def python_destruction(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Data is deleted by a call and not rebuilt.

    ## What it does
    Reports `delete_table`, `drop`, `truncate` and `delete_partition` of tables that the same script does not
    fill again later. Temporary tables are allowed. A partition computed at run time only warns: it may be
    outdated. A table whose name is computed at run time is a remark: it is not known which one it is. The
    counterpart of MC-S02 for calls.

    ## Why
    A scheduled node runs repeatedly, possibly with a wrong date. The deleted data may be the only copy.

    ## Bad
    ```python
    o.delete_table("dwd_order_di", if_exists=True)
    ```
    ```python
    o.get_table("dim_shop").truncate()
    ```

    ## Good
    ```python
    o.delete_table("tmp_order", if_exists=True)
    ```
    ```python
    o.delete_table("dws_shop", if_exists=True)
    o.create_table("dws_shop", "shop_id bigint, amount double", lifecycle=30)
    ```

    ## Options
    None.

    ## Known limits
    Whether the script rebuilds a table whose name is computed at run time is not known.
    """
    script = subject.script
    rebuilt = NamePositions(_names_rebuilt(script), script.context.project)
    for access in script.python.accesses:
        if access.act not in _REMOVALS:
            continue
        action, action_zh = _REMOVALS[access.act]
        if not access.table:
            yield Hit(
                access.at,
                Text(
                    f"{access.call} {action.format('a table')} whose name is computed at run time.",
                    f"{access.call} {action_zh.format('')}（表名在运行时计算）。",
                ),
                severity=Severity.INFO,
                key="",
            )
            continue
        if is_temporary(access.table) or rebuilt.is_after(access.at, access.table):
            continue
        yield Hit(
            access.at,
            Text(
                f"{access.call} {action.format(access.table)}, and the script does not rebuild it.",
                f"{access.call} {action_zh.format(access.table)}，脚本没有重建。",
            ),
            severity=Severity.WARN
            if access.act is TableAccessKind.DROP_PARTITION and access.partition is None
            else None,
            key=access.table.lower(),
        )


def _names_rebuilt(script: Script) -> Iterator[tuple[Span, str]]:
    """Yield the names of tables that calls and statements create or fill."""
    for access in script.python.accesses:
        if access.adds_rows:
            yield access.at, access.table
    for statement in script.statements:
        for name in (
            *(made.name for made in statement.creations),
            *(write.table for write in statement.writes),
        ):
            yield statement.at, name
