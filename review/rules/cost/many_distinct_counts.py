"""MC-P07: many-distinct-counts."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.verdicts import Severity
from review.analysis.date_windows import date_windows
from review.analysis.partition_pruning import partitioned_reads
from review.facts import Block, Call
from review.rules.api import WAREHOUSE, Hit, Options, RuleContext, Text, rule


class ManyDistinctCountsOptions(Options):
    """What a policy may set for MC-P07."""

    max_counts: int = Field(default=1, ge=1, description="maximum number of COUNT(DISTINCT …) in a block")
    max_days: int = Field(
        default=31, ge=1, description="maximum number of days that one COUNT(DISTINCT …) may span"
    )


@rule(
    "MC-P07",
    "many-distinct-counts",
    Severity.INFO,
    dialects=WAREHOUSE,
    options=ManyDistinctCountsOptions,
    fix=Text(
        "Group by the counted columns first and count the groups, or use APPROX_DISTINCT.",
        "请先按被计数的列分组再计数，或使用 APPROX_DISTINCT。",
    ),
)
def many_distinct_counts(subject: RuleContext, options: ManyDistinctCountsOptions) -> Iterator[Hit]:
    """Several COUNT(DISTINCT) in one query block.

    ## What it does
    Reports query blocks with more than one `COUNT(DISTINCT …)` of different columns, and blocks with one that
    reads more than 31 days of partitions.

    ## Why
    Each distinct count multiplies the shuffled rows, and one frequent value makes one worker the straggler.

    ## Bad
    ```sql
    SELECT city, count(DISTINCT user_id) AS users, count(DISTINCT order_id) AS orders
    FROM dwd_order_di WHERE ds = '${bizdate}' GROUP BY city
    ```
    ```sql
    SELECT count(DISTINCT user_id) AS users
    FROM dwd_order_di WHERE ds BETWEEN '$[yyyymmdd-90]' AND '$[yyyymmdd-1]'
    ```

    ## Good
    ```sql
    SELECT city, count(*) AS users
    FROM (SELECT city, user_id FROM dwd_order_di WHERE ds = '${bizdate}' GROUP BY city, user_id) t
    GROUP BY city
    ```

    ## Options
    `max_counts` (default 1): maximum number of distinct counts in a block. `max_days` (default 31): maximum
    number of days of partitions that a block with a distinct count may read.

    ## Known limits
    The number of rows is unknown: on a small table this does not matter.
    """
    for statement in subject.script.statements:
        for block in statement.blocks:
            counts = _counts(subject.script.code, block)
            if len(counts) > options.max_counts:
                yield _hit(counts[options.max_counts], len(counts))
    yield from _over_long_windows(subject, options)


def _counts(code: str, block: Block) -> list[Call]:
    """Return the COUNT(DISTINCT …) calls of a block, one per distinct argument."""
    counts: dict[str, Call] = {}
    for call in block.calls:
        if call.name == "count" and call.distinct:
            argument = ",".join(code[part.at.begin : part.at.end].lower() for part in call.arguments)
            counts.setdefault(argument, call)
    return list(counts.values())


def _over_long_windows(subject: RuleContext, options: ManyDistinctCountsOptions) -> Iterator[Hit]:
    reported: set[int] = set()
    if not any(
        call.distinct for item in subject.script.statements for block in item.blocks for call in block.calls
    ):
        return
    for reading in partitioned_reads(subject):
        for block in reading.statement.blocks:
            counts = _counts(subject.script.code, block)
            if not counts or reading.source not in block.sources or counts[0].at.begin in reported:
                continue
            days = [window.days for window in date_windows(subject.script.code, reading) if window.days]
            if reading.pruned and len(counts) <= options.max_counts and days and max(days) > options.max_days:
                reported.add(counts[0].at.begin)
                table = reading.source.table
                yield Hit(
                    counts[0].at,
                    Text(
                        f"COUNT(DISTINCT) covers about {max(days)} days of {table}.",
                        f"COUNT(DISTINCT) 在 {table} 约 {max(days)} 天的数据上执行。",
                    ),
                    key=table.lower(),
                )


def _hit(call: Call, number: int) -> Hit:
    return Hit(
        call.at,
        Text(
            f"This query block counts distinct values of {number} different expressions.",
            f"该查询块对 {number} 个不同的表达式做了 COUNT(DISTINCT)。",
        ),
    )
