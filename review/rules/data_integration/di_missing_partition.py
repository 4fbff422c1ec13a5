"""DI-008: di-missing-partition."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.dialects import Dialect
from review.rules.api import Hit, Options, RuleContext, Text, rule


@rule(
    "DI-008",
    "di-missing-partition",
    Severity.BLOCK,
    dialects=frozenset({Dialect.DI}),
    fix=Text('Set "partition": ["ds=${bizdate}"].', '设置 "partition": ["ds=${bizdate}"]。'),
)
def di_missing_partition(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Job reads all partitions of a table.

    ## What it does
    Reports a MaxCompute reader without `partition` and without `where` if its table is known to be
    partitioned. The counterpart of MC-P01 for data integration.

    ## Why
    Each run copies the whole history of the table: it gets slower every day, and the target receives every
    row again.

    ## Given
    ```json
    {"tables": {"dwd_order_di": {"partitions": {"ds": "STRING"}, "columns": {"id": "BIGINT"}}}}
    ```

    ## Bad
    ```di
    {"type": "job", "setting": {"errorLimit": {"record": "0"}}, "steps": [
      {"stepType": "odps", "category": "reader", "parameter": {"table": "dwd_order_di", "column": ["id"]}},
      {"stepType": "mysql", "category": "writer", "parameter": {"table": "orders", "column": ["id"]}}
    ]}
    ```

    ## Good
    ```di
    {"type": "job", "setting": {"errorLimit": {"record": "0"}}, "steps": [
      {"stepType": "odps", "category": "reader",
       "parameter": {"table": "dwd_order_di", "column": ["id"], "partition": ["ds=${bizdate}"]}},
      {"stepType": "mysql", "category": "writer", "parameter": {"table": "orders", "column": ["id"]}}
    ]}
    ```

    ## Options
    None.

    ## Known limits
    Unknown tables are not checked. A partition written as `ds=*` is allowed.
    """
    for step in subject.script.job.steps:
        table = str(step.parameter.get("table") or "")
        named = step.parameter.get("partition") or step.parameter.get("where")
        if step.category == "reader" and step.kind == "odps" and table and not named:
            partitions = subject.catalog.partitions(table)
            if partitions:
                yield Hit(
                    step.places.get(("table",), step.at),
                    Text(
                        f"The job reads all partitions ({', '.join(partitions)}) of {table}.",
                        f"作业读取了 {table} 的所有分区（{'、'.join(partitions)}）。",
                    ),
                    Text(
                        f'Set "partition": ["{partitions[0]}=${{bizdate}}"].',
                        f'设置 "partition": ["{partitions[0]}=${{bizdate}}"]。',
                    ),
                    key=table.lower(),
                )
