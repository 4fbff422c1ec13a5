"""PY-008: every table has an end of life."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.dialects import Dialect
from workers.review.facts import Altered, Script
from workers.review.rules.rule import Hit, Options, Subject, Text, rule


@rule(
    "PY-008",
    "python-missing-lifecycle",
    Severity.WARN,
    dialects=frozenset({Dialect.PYTHON}),
    fix=Text(
        "Pass lifecycle= with the days that its data is needed.", "传入 lifecycle=，注明数据需要保留的天数。"
    ),
)
def python_missing_lifecycle(subject: Subject, _: Options) -> Iterator[Hit]:
    """Table is created by a call without a lifecycle.

    ## What it does
    Finds `create_table` of the PyODPS entry object without `lifecycle`. It is MC-N03 for calls.

    ## Why
    A table without a lifecycle keeps every partition for ever, and its storage is paid for long after its
    last reader is gone. Temporary tables are forgotten first.

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
    Only what is called on `o` or `odps` as DataWorks gives them, or on what `ODPS(…)` gave, is judged.
    External tables hold no data and need none. A module that sets `options.lifecycle` or calls
    `set_lifecycle` is not judged; nor is a table that an ALTER TABLE … SET LIFECYCLE of the module may be
    about. A lifecycle that the project itself sets for new tables is not known here.
    """
    script = subject.script
    for access in script.python.accesses:
        if access.endless and not _mended(script, access.table):
            table, table_zh = access.table or "A table", f" {access.table} " if access.table else "表"
            yield Hit(
                access.at,
                Text(
                    f"{table} is created without lifecycle, so its data is kept for ever.",
                    f"创建{table_zh}时没有设置 lifecycle，数据将永久保留。",
                ),
                key=access.table.lower(),
            )


def _mended(script: Script, table: str) -> bool:
    return any(
        change.what is Altered.LIFECYCLE and (not table or script.may_be(change.table, table))
        for statement in script.statements
        for change in statement.alterations
    )
