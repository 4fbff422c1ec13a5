"""MC-C13: overwrite-unpartitioned."""

from __future__ import annotations

from collections.abc import Iterator

from common.verdicts import Severity
from review.facts import Script, Write, WriteKind
from review.rules.api import WAREHOUSE, Hit, Options, RuleContext, Text, rule

_OVERWRITES = frozenset({WriteKind.OVERWRITE, WriteKind.LOAD_OVERWRITE})
_DYNAMIC_MODE = "spark.sql.sources.partitionoverwritemode"


@rule(
    "MC-C13",
    "overwrite-unpartitioned",
    Severity.BLOCK,
    dialects=WAREHOUSE,
    fix=Text("Add PARTITION(…) with the partition to overwrite.", "写明要覆盖的分区。"),
)
def overwrite_unpartitioned(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Overwrite of a partitioned table without PARTITION.

    ## What it does
    Reports INSERT OVERWRITE and LOAD OVERWRITE without a PARTITION clause if the target is known to be
    partitioned: from the catalogue, from a CREATE, or from another statement of the script.

    ## Why
    The engine rejects the statement, or replaces every partition of the table with the rows of one day.

    ## Given
    ```json
    {"tables": {
      "dwd_order_di": {"partitions": {"ds": "STRING"}},
      "dim_shop": {"columns": {"shop_id": "BIGINT"}}
    }}
    ```

    ## Bad
    ```sql
    INSERT OVERWRITE TABLE dwd_order_di
    SELECT order_id, amount FROM ods_order_di WHERE ds = '${bizdate}';
    ```

    ## Good
    ```sql
    INSERT OVERWRITE TABLE dwd_order_di PARTITION (ds = '${bizdate}')
    SELECT order_id, amount FROM ods_order_di WHERE ds = '${bizdate}';
    ```
    ```sql
    INSERT OVERWRITE TABLE dim_shop SELECT shop_id FROM ods_shop WHERE ds = '${bizdate}';
    ```

    ## Options
    None.

    ## Known limits
    A column list that contains the partition column counts as PARTITION. Spark's dynamic overwrite mode is
    recognised only if the script sets it. That MaxCompute computes the partition column itself (AUTO
    PARTITIONED BY) is known only from a CREATE in the script.
    """
    if _has_dynamic_overwrite(subject.script):
        return
    for statement in subject.script.statements:
        for write in statement.writes:
            if write.kind not in _OVERWRITES or write.partition:
                continue
            partitions = subject.catalog.partitions(write.table) or ()
            given = {column.lower() for column in write.columns} | subject.catalog.generated(write.table)
            if partitions and not set(partitions) <= given:
                yield Hit(write.at, _message(write, partitions), _fix(partitions), key=write.table)


def _has_dynamic_overwrite(script: Script) -> bool:
    settings = [statement.setting for statement in script.statements]
    return any(
        item.name.lower() == _DYNAMIC_MODE and item.value.strip().lower() == "dynamic"
        for item in settings
        if item
    )


def _message(write: Write, partitions: tuple[str, ...]) -> Text:
    names = ", ".join(partitions)
    return Text(
        f"{write.table} is partitioned by {names}, but this overwrite has no PARTITION clause.",
        f"{write.table} 按 {names} 分区，而此处的覆盖写入没有指定分区。",
    )


def _fix(partitions: tuple[str, ...]) -> Text:
    clause = f"PARTITION ({', '.join((f'{partitions[0]} = ' + repr('${bizdate}'), *partitions[1:]))})"
    return Text(f"Add {clause}.", f"加上 {clause}。")
