"""MC-P09: keep a query within bounds."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from common.verdicts import Severity
from workers.review.facts import Block, Joined, Source, Statement
from workers.review.rules.names import layer, temporary
from workers.review.rules.rule import SQL, Hit, Options, Subject, Text, rule

_GIB = 1 << 30


class HeavyQueryOptions(Options):
    """What a policy may set for MC-P09."""

    most_joins: int = Field(default=8, ge=1, description="joins in one query block")
    most_depth: int = Field(default=5, ge=1, description="query blocks within each other")
    most_reads: int = Field(default=3, ge=1, description="times that one statement may read a big table")
    big_gib: float = Field(default=10.0, ge=0, description="GiB from which on a table of known size is big")


@rule(
    "MC-P09",
    "heavy-query",
    Severity.INFO,
    dialects=SQL,
    options=HeavyQueryOptions,
    fix=Text("Split the query by a staging table.", "请用中间表拆分该查询。"),
)
def heavy_query(subject: Subject, options: HeavyQueryOptions) -> Iterator[Hit]:
    """Query with too many joins, levels or reads of a table.

    ## What it does
    Finds query blocks with more than 8 joins, blocks that stand in more than 5 others, and tables that one
    statement reads more than 3 times.

    ## Why
    Such a query is hard to read, hard to optimise, and when it fails all of it runs again.

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
    `most_joins` (default 8): joins in one block. `most_depth` (default 5): blocks within each other.
    `most_reads` (default 3): reads of a table in one statement. `big_gib` (default 10): from which size on
    reads are counted where the size is known.

    ## Known limits
    Where the size of a table is not known, every table counts as big, but for those named `dim_…` and
    temporary ones.
    """
    for statement in subject.script.statements:
        for block in statement.blocks:
            yield from _joins(block, options.most_joins)
        yield from _depth(statement, options.most_depth)
        yield from _reads(subject, statement, options)


def _joins(block: Block, most: int) -> Iterator[Hit]:
    joined = [source for source in block.sources if source.joined not in (Joined.FIRST, Joined.LATERAL)]
    if len(joined) > most:
        yield Hit(
            joined[most].at,
            Text(
                f"This query block has {len(joined)} joins; at most {most} are wanted.",
                f"该查询块有 {len(joined)} 个关联，上限为 {most} 个。",
            ),
        )


def _depth(statement: Statement, most: int) -> Iterator[Hit]:
    """Yield the first block of a statement that is too deep."""
    deepest = max((block.depth for block in statement.blocks), default=0)
    if deepest > most:
        block = next(block for block in statement.blocks if block.depth > most)
        yield Hit(
            block.at,
            Text(
                f"Query blocks stand {deepest} deep within each other; at most {most} are wanted.",
                f"查询嵌套了 {deepest} 层，上限为 {most} 层。",
            ),
        )


def _reads(subject: Subject, statement: Statement, options: HeavyQueryOptions) -> Iterator[Hit]:
    by_table: dict[str, dict[int, Source]] = {}
    for _, source in statement.reads():
        by_table.setdefault(source.table.lower(), {}).setdefault(source.at.begin, source)
    for sources in by_table.values():
        places = list(sources.values())
        table = places[0].table
        if len(places) > options.most_reads and _big(subject, table, options.big_gib):
            yield Hit(
                places[options.most_reads].at,
                Text(
                    f"This statement reads {table} {len(places)} times; read it once into a staging table.",
                    f"该语句读取了 {table} {len(places)} 次，请一次读入中间表。",
                ),
                key=table.lower(),
            )


def _big(subject: Subject, table: str, gib: float) -> bool:
    known = subject.script.given.table(table)
    if known is not None and known.size is not None:
        return known.size >= gib * _GIB
    return layer(table) != "dim" and not temporary(table)
