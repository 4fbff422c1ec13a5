"""PY-004: a rerun must not double rows."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.dialects import Dialect
from workers.review.facts import Gone, Script, Written
from workers.review.facts.python import Access, Act
from workers.review.rules.names import temporary
from workers.review.rules.rule import Hit, Options, Subject, Text, rule


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
def python_append(subject: Subject, _: Options) -> Iterator[Hit]:
    """Scheduled node appends rows by a call.

    ## What it does
    Finds `write_table`, `open_writer` and `persist(overwrite=False)` in a scheduled node that has not emptied
    the table, or a partition of it, before. It blocks in production and warns elsewhere. It is MC-C01 for
    calls.

    ## Why
    Nodes run again: after a failure, for a backfill. Each run adds the same rows once more.

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
    Whether the partition that is emptied is the one that is written is not compared. A table whose name is
    made at run time is not judged when the script empties any other such table.

    # 调度节点通过方法调用追加数据
    ## 规则说明
    查找调度节点中的 `write_table`、`open_writer` 以及 `persist(overwrite=False)`，且之前没有清空该表或其分
    区。生产环境中阻断，其他环境中告警。相当于 MC-C01 在方法调用上的体现。

    ## 为什么
    节点会重复运行：失败重跑、补数据。每运行一次，同样的数据就多一份。

    ## 选项
    无。

    ## 已知限制
    不比较被清空的分区与写入的分区是否一致。表名在运行时生成时，只要脚本清空过其他同类表就不提示。
    """
    script = subject.script
    if not script.given.node.scheduled:
        return
    for access in script.python.accesses:
        if access.act is Act.APPEND and not temporary(access.table) and not _emptied(script, access):
            yield Hit(
                access.at,
                Text(
                    f"{access.call} appends to {access.table or 'a table'}: every rerun adds the rows again.",
                    f"{access.call} 以追加方式写入{access.table or '表'}：每次重跑都会重复写入数据。",
                ),
                severity=Severity.BLOCK if script.given.node.production and access.table else None,
                key=access.table.lower(),
            )


def _emptied(script: Script, append: Access) -> bool:
    """Whether the table, or a part of it, is emptied or made anew before `append`."""
    if script.taken_by_call(append.at, append.table):
        return True
    for statement in script.statements:
        gone = (item.name for item in statement.removals if item.what is not Gone.COLUMN)
        cleared = (item.table for item in statement.writes if item.how in (Written.DELETE, Written.OVERWRITE))
        if statement.at < append.at and any(script.may_be(name, append.table) for name in (*gone, *cleared)):
            return True
    return False
