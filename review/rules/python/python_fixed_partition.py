"""PY-006: python-fixed-partition."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.scheduling_dates import partition_date
from review.dialects import Dialect
from review.facts.python import TableAccessKind
from review.rules.api import Hit, Options, RuleContext, Text, rule

_WRITES = frozenset({TableAccessKind.APPEND, TableAccessKind.OVERWRITE})


@rule(
    "PY-006",
    "python-fixed-partition",
    Severity.WARN,
    dialects=frozenset({Dialect.PYTHON}),
    fix=Text(
        "Use the scheduled day: partition='ds=' + args['bizdate'].",
        "使用调度参数中的日期：partition='ds=' + args['bizdate']。",
    ),
)
def python_fixed_partition(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Hard-coded date in the partition of a call.

    ## What it does
    Reports a literal day or month in the partition that a call of a scheduled node reads (warns) or writes
    (blocks). The counterpart of MC-C07 for calls.

    ## Why
    Tomorrow's run reads and writes the same day again, and nothing fails.

    ## Bad
    ```python
    o.write_table("dws_shop_1d", records, partition="ds=20240501", overwrite=True)
    ```
    ```python
    with o.get_table("dwd_order_di").open_reader(partition="ds=20240501") as reader:
        print(reader.count)
    ```

    ## Good
    ```python
    o.write_table("dws_shop_1d", records, partition="ds=%s" % args["bizdate"], overwrite=True)
    ```
    ```python
    with o.get_table("dim_city").open_reader(partition="region=hz") as reader:
        print(reader.count)
    ```

    ## Options
    None.

    ## Known limits
    A date in a variable is not followed. Days before 1990 and after 2089 are treated as sentinels for
    "always" and "never".
    """
    script = subject.script
    if not script.context.node.scheduled:
        return
    for access in script.python.accesses:
        day = partition_date(access.partition.value) if access.partition else None
        if access.partition and day:
            table = access.table or "the table"
            writes = access.act in _WRITES
            yield Hit(
                access.partition.at,
                Text(
                    f"Every run {'writes' if writes else 'uses'} the fixed partition {day} of {table}.",
                    f"每次运行都{'写入' if writes else '使用'} {access.table or '该表'} 的固定分区 {day}。",
                ),
                severity=Severity.BLOCK if writes else None,
                key=access.table.lower(),
            )
