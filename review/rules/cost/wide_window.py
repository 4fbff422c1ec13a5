"""MC-P03: wide-window."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.verdicts import Severity
from review.analysis.date_windows import DateWindow, date_windows
from review.analysis.partition_pruning import PartitionedRead, partitioned_reads
from review.rules.api import WAREHOUSE, Hit, Options, RuleContext, Text, rule


class WideWindowOptions(Options):
    """What a policy may set for MC-P03."""

    max_partitions: int = Field(
        default=90, ge=1, description="maximum number of days, or of values in an IN list, to read"
    )


@rule(
    "MC-P03",
    "wide-window",
    Severity.WARN,
    dialects=WAREHOUSE,
    options=WideWindowOptions,
    fix=Text(
        "Narrow the window, or read an aggregated table.",
        "请缩小时间窗口，或改读已汇总的表。",
    ),
)
def wide_window(subject: RuleContext, options: WideWindowOptions) -> Iterator[Hit]:
    """Too many partitions are read.

    ## What it does
    Computes how many days of partitions the predicates on a partition column span if both bounds are dates or
    both are scheduling parameters (`$[yyyymmdd-120]`, `$[add_months(yyyymmdd,-6)]`, `${bizdate}`), optionally
    in `dateadd`, `date_sub` and similar functions. Reports windows that are too long, and windows without a
    lower bound (`ds <= '${bizdate}'`, `ds <> …` alone).

    ## Why
    A wide window has the same cost on every run. A window without a lower bound costs more each day, until
    the run no longer finishes in time. DataWorks governance treats more than 90 partitions as a forced full
    scan.

    ## Given
    ```json
    {"project": "shop", "tables": {
      "shop.dwd_order_di": {"partitions": {"ds": "STRING"}, "columns": {"id": "BIGINT"}}}}
    ```

    ## Bad
    ```sql
    SELECT id FROM dwd_order_di WHERE ds <= '${bizdate}'
    ```
    ```sql
    SELECT id FROM dwd_order_di WHERE ds BETWEEN '$[yyyymmdd-365]' AND '$[yyyymmdd-1]'
    ```
    ```sql
    SELECT id FROM dwd_order_di WHERE ds >= '20230101' AND ds < '20240101'
    ```

    ## Good
    ```sql
    SELECT id FROM dwd_order_di WHERE ds BETWEEN '$[yyyymmdd-30]' AND '$[yyyymmdd-1]'
    ```
    ```sql
    SELECT id FROM dwd_order_di WHERE ds >= '20231201' AND ds < '20240101'
    ```

    ## Options
    `max_partitions` (default 90): maximum number of days, or of values in an IN list, to read.

    ## Known limits
    A month counts as 30 days. Windows between a fixed date and a parameter, or between parameters with custom
    names, are not computed. Hourly partitions within a day are not counted.
    """
    for reading in partitioned_reads(subject):
        if reading.pruned:
            for window in date_windows(subject.script.code, reading):
                if window.days is None or window.days > options.max_partitions:
                    yield _hit(reading, window, options.max_partitions)


def _hit(reading: PartitionedRead, window: DateWindow, limit: int) -> Hit:
    table, column = reading.source.table, window.filter.column
    if window.days is None:
        message = Text(
            f"All partitions of {table} from the first one are read: {column} has no lower bound.",
            f"{table} 会从最早的分区开始读取：{column} 没有下界。",
        )
    else:
        message = Text(
            f"About {window.days} partitions of {table} are read by {column}; the maximum is {limit}.",
            f"按 {column} 约读取 {table} 的 {window.days} 个分区，上限为 {limit} 个。",
        )
    fix = Text(
        f"Give {column} of {table} a lower bound near the run's date, e.g. {column} >= '$[yyyymmdd-30]'.",
        f"请为 {table} 的 {column} 加上接近运行日期的下界，例如 {column} >= '$[yyyymmdd-30]'。",
    )
    return Hit(window.filter.predicate.at, message, fix, key=f"{table.lower()}.{column.lower()}")
