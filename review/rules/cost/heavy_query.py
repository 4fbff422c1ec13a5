"""MC-P09: heavy-query."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.verdicts import Severity
from review.analysis.naming import is_temporary, layer_of
from review.facts import Block, JoinKind, Source, Statement
from review.rules.api import SQL, Hit, Options, RuleContext, Text, rule

_GIB = 1 << 30


class HeavyQueryOptions(Options):
    """What a policy may set for MC-P09."""

    max_joins: int = Field(default=8, ge=1, description="maximum number of joins in one query block")
    max_depth: int = Field(default=5, ge=1, description="maximum nesting depth of query blocks")
    max_reads: int = Field(
        default=3, ge=1, description="maximum number of reads of a big table in one statement"
    )
    big_gib: float = Field(default=10.0, ge=0, description="size in GiB from which a table is big")


@rule(
    "MC-P09",
    "heavy-query",
    Severity.INFO,
    dialects=SQL,
    options=HeavyQueryOptions,
    fix=Text("Split the query with a staging table.", "请用中间表拆分该查询。"),
)
def heavy_query(subject: RuleContext, options: HeavyQueryOptions) -> Iterator[Hit]:
    """Query with too many joins, nesting levels or reads of a table.

    ## What it does
    Reports query blocks with more than 8 joins, blocks nested more than 5 levels deep, and tables that one
    statement reads more than 3 times.

    ## Why
    Such a query is hard to read and to optimise, and a failure reruns all of it.

    ## Bad
    ```sql
    SELECT a.v FROM dwd_a_di a WHERE a.ds = '${bizdate}' AND a.k = 1
    UNION ALL SELECT a.v FROM dwd_a_di a WHERE a.ds = '${bizdate}' AND a.k = 2
    UNION ALL SELECT a.v FROM dwd_a_di a WHERE a.ds = '${bizdate}' AND a.k = 3
    UNION ALL SELECT a.v FROM dwd_a_di a WHERE a.ds = '${bizdate}' AND a.k = 4
    ```

    ## Good
    ```sql
    SELECT v FROM dwd_a_di WHERE ds = '${bizdate}' AND k IN (1, 2, 3, 4)
    ```

    ## Options
    `max_joins` (default 8): maximum number of joins in one block. `max_depth` (default 5): maximum nesting
    depth. `max_reads` (default 3): maximum number of reads of a table in one statement. `big_gib` (default
    10): if the size of a table is known, reads are counted from this size on.

    ## Known limits
    A table of unknown size counts as big, except temporary tables and tables named `dim_…`.
    """
    for statement in subject.script.statements:
        for block in statement.blocks:
            yield from _joins(block, options.max_joins)
        yield from _depth(statement, options.max_depth)
        yield from _reads(subject, statement, options)


def _joins(block: Block, limit: int) -> Iterator[Hit]:
    joined = [
        source for source in block.sources if source.join_kind not in (JoinKind.FIRST, JoinKind.LATERAL)
    ]
    if len(joined) > limit:
        yield Hit(
            joined[limit].at,
            Text(
                f"This query block has {len(joined)} joins; the maximum is {limit}.",
                f"该查询块有 {len(joined)} 个关联，上限为 {limit} 个。",
            ),
        )


def _depth(statement: Statement, limit: int) -> Iterator[Hit]:
    """Yield the first block of a statement that is nested too deeply."""
    deepest = max((block.depth for block in statement.blocks), default=0)
    if deepest > limit:
        block = next(block for block in statement.blocks if block.depth > limit)
        yield Hit(
            block.at,
            Text(
                f"Query blocks are nested {deepest} levels deep; the maximum is {limit}.",
                f"查询嵌套了 {deepest} 层，上限为 {limit} 层。",
            ),
        )


def _reads(subject: RuleContext, statement: Statement, options: HeavyQueryOptions) -> Iterator[Hit]:
    by_table: dict[str, dict[int, Source]] = {}
    for _, source in statement.reads():
        by_table.setdefault(source.table.lower(), {}).setdefault(source.at.begin, source)
    for sources in by_table.values():
        places = list(sources.values())
        table = places[0].table
        if len(places) > options.max_reads and _big(subject, table, options.big_gib):
            yield Hit(
                places[options.max_reads].at,
                Text(
                    f"This statement reads {table} {len(places)} times; read it once into a staging table.",
                    f"该语句读取了 {table} {len(places)} 次，请一次读入中间表。",
                ),
                key=table.lower(),
            )


def _big(subject: RuleContext, table: str, gib: float) -> bool:
    known = subject.script.context.table(table)
    if known is not None and known.size is not None:
        return known.size >= gib * _GIB
    return layer_of(table) != "dim" and not is_temporary(table)
