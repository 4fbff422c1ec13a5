"""PY-003: python-whole-table."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.analysis.naming import is_likely_partitioned
from review.dialects import Dialect
from review.facts.python import TableAccessKind
from review.rules.api import Hit, Options, RuleContext, Text, rule


@rule(
    "PY-003",
    "python-whole-table",
    Severity.BLOCK,
    dialects=frozenset({Dialect.PYTHON}),
    fix=Text(
        "Select the partition: open_reader(partition=…), get_partition(…), or filter before to_pandas.",
        "指定分区：open_reader(partition=…)、get_partition(…)，或在 to_pandas 之前过滤。",
    ),
)
def python_whole_table(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """All partitions of a table are read.

    ## What it does
    Reports `open_reader`, `read_table`, `to_pandas` and `collect` on a partitioned table without a partition,
    filter or limit. Blocks if the table is known to be partitioned; info if only its name (`_di`, `_df`)
    suggests it. The counterpart of MC-P01 for calls.

    ## Why
    Years of data are transferred over the network into the memory of one machine, which usually runs out.

    ## Given
    ```json
    {"tables": {"dwd_order_di": {"partitions": {"ds": "STRING"}, "columns": {"order_id": "BIGINT"}}}}
    ```

    ## Bad
    ```python
    df = o.get_table("dwd_order_di").to_df().to_pandas()
    ```
    ```python
    t = o.get_table("dwd_order_di")
    with t.open_reader() as reader:
        for record in reader:
            print(record)
    ```

    ## Good
    ```python
    day = args["bizdate"]
    with o.get_table("dwd_order_di").open_reader(partition="ds=" + day) as reader:
        print(reader.count)
    df = o.get_table("dwd_order_di").get_partition("ds=" + day).to_df().to_pandas()
    ```

    ## Options
    None.

    ## Known limits
    Only tables named in the code, and data frames created from them and used directly, are followed.
    """
    for access in subject.script.python.accesses:
        if access.act is not TableAccessKind.READ or not access.whole or not access.table:
            continue
        partitions = subject.catalog.partitions(access.table)
        if partitions == () or (partitions is None and not is_likely_partitioned(access.table)):
            continue
        named = f" ({', '.join(partitions)})" if partitions else ""
        yield Hit(
            access.at,
            Text(
                f"{access.call} reads all partitions of {access.table}{named}.",
                f"{access.call} 读取了 {access.table}{named} 的所有分区。",
            ),
            severity=None if partitions else Severity.INFO,
            key=access.table.lower(),
        )
