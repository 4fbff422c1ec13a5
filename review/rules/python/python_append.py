"""PY-004: python-append."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.naming import is_temporary
from review.dialects import Dialect
from review.facts import RemovedKind, Script, Span, WriteKind
from review.facts.python import TableAccessKind
from review.facts.tables import NamePositions
from review.rules.api import Hit, Options, RuleContext, Text, rule


@rule(
    "PY-004",
    "python-append",
    Severity.WARN,
    dialects=frozenset({Dialect.PYTHON}),
    fix=Text(
        "Pass overwrite=True, or empty the partition first.",
        "传入 overwrite=True，或先清空目标分区。",
    ),
)
def python_append(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Scheduled node appends rows with a call.

    ## What it does
    Reports `write_table`, `open_writer` and `persist(overwrite=False)` in a scheduled node that has not
    emptied the table, or a partition of it, before. Blocks in production and warns elsewhere. The counterpart
    of MC-C01 for calls.

    ## Why
    Nodes run more than once: after a failure, or for a backfill. Each run adds the same rows again.

    ## Bad
    ```python
    o.write_table("dws_shop_1d", records, partition="ds=" + args["bizdate"], create_partition=True)
    ```

    ## Good
    ```python
    o.write_table("dws_shop_1d", records, partition="ds=" + args["bizdate"], overwrite=True)
    ```
    ```python
    t = o.get_table("dws_shop_1d")
    t.delete_partition("ds=" + args["bizdate"], if_exists=True)
    with t.open_writer(partition="ds=" + args["bizdate"], create_partition=True) as writer:
        writer.write(records)
    ```

    ## Options
    None.

    ## Known limits
    Whether the emptied partition is the written one is not checked. A table whose name is computed at run
    time is not checked if the script empties any other such table.
    """
    script = subject.script
    if not script.context.node.scheduled:
        return
    emptied = NamePositions(_names_emptied(script), script.context.project)
    for access in script.python.accesses:
        if (
            access.act is TableAccessKind.APPEND
            and not is_temporary(access.table)
            and not script.emptied_by_call_before(access.at, access.table)
            and not emptied.is_before(access.at, access.table)
        ):
            yield Hit(
                access.at,
                Text(
                    f"{access.call} appends to {access.table or 'a table'}: reruns add the same rows again.",
                    f"{access.call} 以追加方式写入{access.table or '表'}：每次重跑都会重复写入数据。",
                ),
                severity=Severity.BLOCK if script.context.node.production and access.table else None,
                key=access.table.lower(),
            )


def _names_emptied(script: Script) -> Iterator[tuple[Span, str]]:
    """Yield the names of tables that statements empty, or a part of them, or recreate."""
    for statement in script.statements:
        for item in statement.removals:
            if item.what is not RemovedKind.COLUMN:
                yield statement.at, item.name
        for write in statement.writes:
            if write.kind in (WriteKind.DELETE, WriteKind.OVERWRITE):
                yield statement.at, write.table
