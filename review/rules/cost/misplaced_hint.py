"""MC-P10: misplaced-hint."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from common.verdicts import Severity
from review.facts import Block, Hint, JoinKind, table_key
from review.rules.api import WAREHOUSE, Hit, Options, RuleContext, Text, rule

_MAPJOIN = "mapjoin"
_HINTS = frozenset(
    {
        *("mapjoin", "distmapjoin", "skewjoin", "dynamicfilter", "selectivity", "rangejoin", "streamtable"),
        *("broadcast", "broadcastjoin", "merge", "mergejoin", "shuffle_merge", "shuffle_hash", "range_join"),
        *("shuffle_replicate_nl", "coalesce", "repartition", "repartition_by_range", "rebalance", "skew"),
    }
)
"""Hints of MaxCompute, Hive and Spark."""


@rule(
    "MC-P10",
    "misplaced-hint",
    Severity.WARN,
    dialects=WAREHOUSE,
    fix=Text("Use the alias of the small table in the hint.", "请在 hint 中写小表的别名。"),
)
def misplaced_hint(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Hint that has no effect.

    ## What it does
    Reports MAPJOIN hints that name no table or alias of their query block, MAPJOIN on the preserved side of
    an outer join, and misspelt hint names.

    ## Why
    The engine silently ignores a hint that it cannot use: the join shuffles both tables, or the skew remains,
    although it looks handled.

    ## Bad
    ```sql
    SELECT /*+ mapjoin(c) */ o.id
    FROM dwd_order_di o JOIN dim_city b ON o.city = b.city WHERE o.ds = '${bizdate}'
    ```
    ```sql
    SELECT /*+ mapjoin(o) */ o.id
    FROM dwd_order_di o LEFT JOIN dim_city b ON o.city = b.city WHERE o.ds = '${bizdate}'
    ```
    ```sql
    SELECT /*+ mapjion(b) */ o.id
    FROM dwd_order_di o JOIN dim_city b ON o.city = b.city WHERE o.ds = '${bizdate}'
    ```

    ## Good
    ```sql
    SELECT /*+ mapjoin(b) */ o.id
    FROM dwd_order_di o LEFT JOIN dim_city b ON o.city = b.city WHERE o.ds = '${bizdate}'
    ```

    ## Options
    None.

    ## Known limits
    Hint names that resemble no known name are not checked. In a chain of joins only the first table and the
    tables of RIGHT and FULL joins are recognised as preserved.
    """
    for statement in subject.script.statements:
        for block in statement.blocks:
            for hint in block.hints:
                yield from _hits(block, hint)


def _hits(block: Block, hint: Hint) -> Iterator[Hit]:
    if hint.name not in _HINTS:
        yield from _misspelt(hint)
    elif hint.name == _MAPJOIN:
        for alias in hint.aliases:
            yield from _mapjoin(block, hint, alias)


def _misspelt(hint: Hint) -> Iterator[Hit]:
    similar = get_close_matches(hint.name, _HINTS, n=1, cutoff=0.8)
    if similar:
        yield Hit(
            hint.at,
            Text(
                f"The hint {hint.name} is unknown; use {similar[0]} if it is misspelt.",
                f"没有名为 {hint.name} 的 hint，应写作 {similar[0]}。",
            ),
            key=hint.name,
        )


def _mapjoin(block: Block, hint: Hint, alias: str) -> Iterator[Hit]:
    names = [
        {
            source.alias.lower(),
            source.table.lower(),
            table_key(source.table),
            source.cte.lower(),
        }
        for source in block.sources
    ]
    index = next((number for number, known in enumerate(names) if alias.lower() in known), None)
    if index is None:
        yield Hit(
            hint.at,
            Text(
                f"The hint mapjoin names {alias}, which is not a table or alias of this query block.",
                f"hint mapjoin 中的 {alias} 不是该查询块的表或别名。",
            ),
            key=alias.lower(),
        )
    elif _preserved(block, index):
        yield Hit(
            hint.at,
            Text(
                f"The hint mapjoin names {alias}, the preserved side of the outer join; name the other side.",
                f"hint mapjoin 中的 {alias} 是外连接的保留侧，应写另一侧的表。",
            ),
            key=alias.lower(),
        )


def _preserved(block: Block, index: int) -> bool:
    if block.sources[index].join_kind in (JoinKind.RIGHT, JoinKind.FULL):
        return True
    others = [source for source in block.sources if source.join_kind is not JoinKind.LATERAL]
    return index == 0 and len(others) > 1 and others[1].join_kind in (JoinKind.LEFT, JoinKind.FULL)
