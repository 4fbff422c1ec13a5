"""MC-P11: redundant-work."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.verdicts import Severity
from review.facts import Block, Column, JoinKind, Source, Statement
from review.rules.api import SQL, Hit, Options, RuleContext, Text, rule


class RedundantWorkOptions(Options):
    """What a policy may set for MC-P11."""

    max_uses: int = Field(
        default=2, ge=1, description="maximum number of reads of a CTE over a table in one statement"
    )


@rule(
    "MC-P11",
    "redundant-work",
    Severity.INFO,
    dialects=SQL,
    options=RedundantWorkOptions,
    fix=Text(
        "Remove what is unused; write what is used repeatedly to a staging table.",
        "请删除未使用的部分；多次使用的部分请先写入中间表。",
    ),
)
def redundant_work(subject: RuleContext, options: RedundantWorkOptions) -> Iterator[Hit]:
    """CTE or join that is unused, or CTE that is computed repeatedly.

    ## What it does
    Reports CTEs that are never read, CTEs that are read more than twice, and LEFT JOINs of which no column is
    used.

    ## Why
    MaxCompute computes a CTE each time it is read and does not keep the result. Unused code misleads readers.
    An unused join still costs a shuffle, and may duplicate rows.

    ## Bad
    ```sql
    WITH a AS (SELECT id FROM dwd_order_di WHERE ds = '${bizdate}'),
         b AS (SELECT id FROM dwd_pay_di WHERE ds = '${bizdate}')
    SELECT id FROM a
    ```
    ```sql
    SELECT o.id, o.amount
    FROM (SELECT id, user_id, amount FROM dwd_order_di WHERE ds = '${bizdate}') o
    LEFT JOIN dim_user u ON o.user_id = u.id
    ```

    ## Good
    ```sql
    WITH a AS (SELECT id FROM dwd_order_di WHERE ds = '${bizdate}')
    SELECT id FROM a
    ```
    ```sql
    SELECT o.id, u.city
    FROM (SELECT id, user_id, amount FROM dwd_order_di WHERE ds = '${bizdate}') o
    LEFT JOIN dim_user u ON o.user_id = u.id
    ```

    ## Options
    `max_uses` (default 2): maximum number of reads of a CTE over a table in one statement.

    ## Known limits
    A join counts as unused only if every column of the block is known to belong to another source. A join
    that duplicates rows on purpose is not recognised.
    """
    for statement in subject.script.statements:
        yield from _ctes(statement, options.max_uses)
        yield from _joins(statement)


def _ctes(statement: Statement, limit: int) -> Iterator[Hit]:
    for cte in statement.ctes:
        if cte.uses == 0:
            yield Hit(
                cte.at,
                Text(f"{cte.name} is never read.", f"{cte.name} 没有被使用。"),
                Text(f"Remove {cte.name}.", f"请删除 {cte.name}。"),
                key=cte.name.lower(),
            )
        elif cte.uses > limit and any(
            source.table for index in cte.blocks for source in statement.blocks[index].sources
        ):
            yield Hit(
                cte.at,
                Text(
                    f"{cte.name} is read {cte.uses} times and computed each time.",
                    f"{cte.name} 被读取 {cte.uses} 次，每次都会重新计算。",
                ),
                Text(f"Write {cte.name} to a staging table first.", f"请先把 {cte.name} 写入中间表。"),
                key=cte.name.lower(),
            )


def _joins(statement: Statement) -> Iterator[Hit]:
    unused = {
        (index, number): source
        for index, block in enumerate(statement.blocks)
        if _clear(block)
        for number, source in enumerate(block.sources)
        if source.join_kind is JoinKind.LEFT
    }
    if not unused:
        return
    unclear: set[int] = set()
    for index, block in enumerate(statement.blocks):
        for join, column in _used(block):
            if column.block is None or column.source is None:
                _spread(statement, index, unclear)
            elif (column.block, column.source) != (index, join):
                unused.pop((column.block, column.source), None)
    for (index, _), source in unused.items():
        if index not in unclear:
            yield _unused(source)


def _clear(block: Block) -> bool:
    """Whether every column that a block uses is known."""
    starred = any(output.star for output in block.outputs)
    linked = any(source.join_kind is JoinKind.LATERAL or source.using for source in block.sources)
    return not (starred or linked or block.order or block.sorted)


def _spread(statement: Statement, index: int | None, unclear: set[int]) -> None:
    """Mark a block and its enclosing blocks as using columns of unknown sources."""
    while index is not None and index not in unclear:
        unclear.add(index)
        index = statement.blocks[index].parent


def _used(block: Block) -> Iterator[tuple[int | None, Column]]:
    """Yield the columns that a block uses, each with the join whose ON contains it."""
    for predicate in block.predicates:
        for column in predicate.columns:
            yield predicate.join, column
    for operand in (
        *(output.operand for output in block.outputs),
        *block.group,
        *(part for window in block.windows for part in (*window.partition, *window.order)),
        *(part for call in block.calls for part in call.arguments),
        *(side for comparison in block.comparisons for side in comparison.operands),
    ):
        for column in operand.columns:
            yield None, column


def _unused(source: Source) -> Hit:
    name = source.table or source.alias
    return Hit(
        source.at,
        Text(
            f"No column of {name} is used: the LEFT JOIN only adds cost, or duplicates rows.",
            f"没有使用 {name} 的任何列：该 LEFT JOIN 只增加开销，或使行数翻倍。",
        ),
        Text(f"Remove the join with {name}.", f"请删除与 {name} 的关联。"),
        key=name.lower(),
    )
