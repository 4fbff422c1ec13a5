"""MC-P12: costly-scan."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.verdicts import Severity
from review.facts import Span
from review.rules.api import WAREHOUSE, Hit, Options, RuleContext, Text, rule

_GIB = 1 << 30


class CostlyScanOptions(Options):
    """What a policy may set for MC-P12."""

    max_gib: float = Field(default=1024.0, gt=0, description="GiB that one run may scan")


@rule(
    "MC-P12",
    "costly-scan",
    Severity.WARN,
    dialects=WAREHOUSE,
    options=CostlyScanOptions,
    fix=Text(
        "Read fewer partitions and columns, or read an aggregated table.",
        "请减少读取的分区和列，或改读已汇总的表。",
    ),
)
def costly_scan(subject: RuleContext, options: CostlyScanOptions) -> Iterator[Hit]:
    """Estimated scan exceeds the budget.

    ## What it does
    Compares the engine's estimate of the data that the code would scan with a budget. Reports nothing if the
    engine was not queried.

    ## Why
    The estimate includes what the code does not show: the current size of the tables.

    ## Given
    ```json
    {"estimate": 2199023255552}
    ```

    ## Bad
    ```sql
    SELECT city, sum(amount) AS amount FROM dwd_order_di WHERE ds = '${bizdate}' GROUP BY city
    ```

    ## Good
    ```sql
    -- The estimate is of statements that scan: without any there is nothing to compare.
    SET odps.sql.type.system.odps2 = true
    ```

    ## Options
    `max_gib` (default 1024): GiB that one run may scan.

    ## Known limits
    The estimate is for the whole script, not for a single statement.
    """
    script = subject.script
    first = next((statement for statement in script.statements if statement.blocks), None)
    if first is None or script.context.estimate is None or script.context.estimate <= options.max_gib * _GIB:
        return
    scanned = f"{script.context.estimate / _GIB:,.0f}"
    yield Hit(
        Span(first.at.begin, min(first.at.end, first.at.begin + len(first.verb or " "))),
        Text(
            f"A run would scan about {scanned} GiB; the budget is {options.max_gib:,.0f} GiB.",
            f"运行一次预计扫描约 {scanned} GiB，预算为 {options.max_gib:,.0f} GiB。",
        ),
        key="estimate",
    )
