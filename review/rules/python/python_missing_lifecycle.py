"""PY-008: python-missing-lifecycle."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.dialects import Dialect
from review.facts import AlterKind, Script, Span
from review.facts.tables import NamePositions
from review.rules.api import Hit, Options, RuleContext, Text, rule


@rule(
    "PY-008",
    "python-missing-lifecycle",
    Severity.WARN,
    dialects=frozenset({Dialect.PYTHON}),
    fix=Text(
        "Pass lifecycle= with the number of days that the data is needed.",
        "传入 lifecycle=，注明数据需要保留的天数。",
    ),
)
def python_missing_lifecycle(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Table is created by a call without a lifecycle.

    ## What it does
    Reports `create_table` of the PyODPS entry object without `lifecycle`. The counterpart of MC-N03 for
    calls.

    ## Why
    A table without a lifecycle keeps every partition forever, and its storage is billed long after the last
    reader is gone. Temporary tables are forgotten first.

    ## Bad
    ```python
    o.create_table("tmp_order", "order_id bigint, amt double", if_not_exists=True)
    ```

    ## Good
    ```python
    o.create_table("tmp_order", "order_id bigint, amt double", if_not_exists=True, lifecycle=3)
    ```
    ```python
    from odps import options

    options.lifecycle = 30
    o.create_table("tmp_order", "order_id bigint, amt double")
    ```

    ## Options
    None.

    ## Known limits
    Only calls on `o` and `odps` as DataWorks provides them, and on the result of `ODPS(…)`, are checked.
    External tables contain no data and need no lifecycle. A module that sets `options.lifecycle` or calls
    `set_lifecycle` is not checked, nor is a table that an ALTER TABLE … SET LIFECYCLE of the module may refer
    to. A default lifecycle of the project is unknown here.
    """
    script = subject.script
    changes = [*_lifecycle_changes(script)]
    changed = NamePositions(changes, script.context.project)
    for access in script.python.accesses:
        is_changed = changed.has(access.table) if access.table else bool(changes)
        if access.has_no_lifecycle and not is_changed:
            table, table_zh = access.table or "A table", f" {access.table} " if access.table else "表"
            yield Hit(
                access.at,
                Text(
                    f"{table} is created without lifecycle, so its data is kept forever.",
                    f"创建{table_zh}时没有设置 lifecycle，数据将永久保留。",
                ),
                key=access.table.lower(),
            )


def _lifecycle_changes(script: Script) -> Iterator[tuple[Span, str]]:
    """Yield the names of tables whose lifecycle a statement sets."""
    for statement in script.statements:
        for change in statement.alterations:
            if change.what is AlterKind.LIFECYCLE:
                yield statement.at, change.table
