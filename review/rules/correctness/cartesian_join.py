"""MC-C03: cartesian-join."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from common.verdicts import Severity
from review.analysis.conditions import FILTERS
from review.analysis.wording import display_name
from review.builtin_functions import BUILT_IN
from review.facts import (
    Block,
    Column,
    JoinKind,
    OperandKind,
    Predicate,
    Role,
    Source,
    Statement,
    WriteKind,
    table_key,
)
from review.rules.api import Hit, Options, RuleContext, Text, rule


@rule(
    "MC-C03",
    "cartesian-join",
    Severity.BLOCK,
    fix=Text(
        "Add a join condition on columns of both sides (ON a.id = b.id).",
        "补充引用两侧列的关联条件（ON a.id = b.id）。",
    ),
)
def cartesian_join(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Join without a condition that relates both sides.

    ## What it does
    Reports row sources of a query that no condition relates to the others: a comma or CROSS JOIN without a
    matching WHERE, a JOIN without ON, ON 1=1, or conditions on one side only. A side that certainly has at
    most one row (an aggregate without GROUP BY, LIMIT 1, a table that the script has just overwritten with
    such an aggregate) needs no condition.

    ## Why
    Every row of one side is combined with every row of the other. Two tables of a million rows produce a
    trillion rows: the job runs for hours, is billed accordingly, and the result is rarely intended.

    ## Bad
    ```sql
    SELECT a.order_id, b.shop_name
    FROM dwd_order_di a, dim_shop b
    WHERE a.ds = '${bizdate}' AND b.ds = '${bizdate}';
    ```
    ```sql
    SELECT a.order_id, b.shop_name
    FROM dwd_order_di a
    JOIN dim_shop b ON b.ds = '${bizdate}'
    WHERE a.ds = '${bizdate}';
    ```

    ## Good
    ```sql
    SELECT a.order_id, b.shop_name
    FROM dwd_order_di a
    JOIN dim_shop b ON a.shop_id = b.shop_id AND b.ds = '${bizdate}'
    WHERE a.ds = '${bizdate}';
    ```
    ```sql
    SELECT a.order_id, a.amount / b.total AS share
    FROM dwd_order_di a
    CROSS JOIN (SELECT SUM(amount) AS total FROM dwd_order_di WHERE ds = '${bizdate}') b
    WHERE a.ds = '${bizdate}';
    ```

    ## Options
    None.

    ## Known limits
    Any condition with columns of both sides counts, whatever it compares, and so does a condition that is a
    parameter (`ON ${condition}`). An unqualified column that may belong to any side counts for all sides.
    VALUES, table functions, semi joins and anti joins are not checked, nor are subqueries that return only
    results of functions that are not built in, which may be aggregates. Rows of a subquery that reads no
    table (constants combined with UNION, VALUES, table functions, a recursive CTE), and a UNION of single
    rows, only warn. How many rows a table has is unknown: an intended product of two small tables is
    reported; suppress it with a reason.
    """
    singles: dict[str, str] = {}
    for statement in subject.script.statements:
        if any(len(block.sources) > 1 for block in statement.blocks):
            correlated, known = _correlated(statement), dict[int, bool]()
            for index, block in enumerate(statement.blocks):
                if len(block.sources) > 1 and not _merges(statement, block):
                    links = [*_links(index, block), *correlated.get(index, ())]
                    yield from _hits(statement, block, links, singles, known)
        _note_singles(statement, singles)


def _note_singles(statement: Statement, singles: dict[str, str]) -> None:
    """Record, by its last name part, each table just overwritten with one row (`SELECT SUM(…)`)."""
    for write in statement.writes:
        rows = [statement.blocks[index] for index in write.blocks]
        replaces = write.kind in (WriteKind.OVERWRITE, WriteKind.CREATE) and not write.partition
        own = table_key(write.table)
        singles.pop(own, None)
        if replaces and len(rows) == 1 and rows[0].aggregated:
            singles[own] = write.table.lower()


def _hits(
    statement: Statement, block: Block, links: list[set[int]], singles: dict[str, str], known: dict[int, bool]
) -> Iterator[Hit]:
    """Yield unrelated sources. Constant rows are few and usually meant to be combined: they only warn."""
    groups = _Groups(len(block.sources))
    for linked in links:
        groups.unite(linked)
    wide = [
        place
        for place, source in enumerate(block.sources)
        if singles.get(table_key(source.table)) != source.table.lower()
        and not _one_row(statement, source, known)
    ]
    few = dict[int, bool]()
    many = [place for place in wide if not _has_few_rows(statement, block.sources[place], known, few)]
    certain = set(_unlinked(block, groups, many))
    for place in _unlinked(block, groups, wide):
        source = block.sources[place]
        severity = None if place in certain else Severity.WARN
        yield Hit(source.at, _message(block, source), severity=severity, key=display_name(source).en)


def _has_few_rows(
    statement: Statement, source: Source, known: dict[int, bool], few: dict[int, bool], depth: int = 0
) -> bool:
    """Whether its rows are constants, or one of each branch of a UNION: no table multiplies them.

    Constants are SELECTs without FROM, VALUES and table functions, also within subqueries and recursive CTEs.
    `few` caches the result by block.
    """
    if source.table:
        return source.table.lower() in _ONE_ROW_TABLES
    if not source.blocks:
        return _has_no_table(source) or any(cte.name == source.cte for cte in statement.ctes)
    if depth > _MAX_DEPTH:
        return False
    for index in source.blocks:
        if index not in few:
            few[index] = False
            block = statement.blocks[index]
            few[index] = _gives_one_row(statement, block, known, depth) or all(
                _has_few_rows(statement, inner, known, few, depth + 1) for inner in block.sources
            )
    return all(few[index] for index in source.blocks)


def _message(block: Block, source: Source) -> Text:
    name, first = display_name(source), display_name(block.sources[0])
    return Text(
        f"No condition relates {name.en} to {first.en}: every pair of their rows is combined.",
        f"没有条件关联 {name.zh} 与 {first.zh}：两侧的每一行都会互相组合（笛卡尔积）。",
    )


def _merges(statement: Statement, block: Block) -> bool:
    """Whether it is the condition of a MERGE, where `ON 1 = 0` means that every row is new."""
    return block.role is Role.CHANGE and any(write.kind is WriteKind.MERGE for write in statement.writes)


def _unlinked(block: Block, groups: _Groups, places: list[int]) -> Iterator[int]:
    """Yield the first of `places` in each group that no condition relates to the groups before it."""
    seen: set[int] = set()
    for place in places:
        group = groups.of(place)
        if seen and group not in seen and block.sources[place].join_kind not in _PASSED_OVER:
            yield place
        seen.add(group)


_PASSED_OVER = frozenset({JoinKind.SEMI, JoinKind.ANTI, JoinKind.LATERAL})


class _Groups:
    """Groups of related sources, by index (a disjoint-set forest)."""

    def __init__(self, count: int) -> None:
        self._of = list(range(count))
        self._count = count

    def of(self, place: int) -> int:
        """Return the representative of the group of the source at `place`."""
        while (above := self._of[place]) != place:
            self._of[place] = place = self._of[above]
        return place

    def unite(self, places: Iterable[int]) -> None:
        """Merge the groups of `places`."""
        if self._count == 1:
            return
        old = {self.of(place) for place in places}
        first = min(old, default=0)
        for place in old:
            self._of[place] = first
        self._count -= max(0, len(old) - 1)


def _correlated(statement: Statement) -> dict[int, list[set[int]]]:
    """Return, by block, the sets of its sources that one correlated subquery relates."""
    found: dict[int, list[set[int]]] = {}
    for number, inner in enumerate(statement.blocks):
        outer: dict[int, set[int]] = {}
        for predicate in inner.predicates:
            for column in predicate.columns:
                if column.block is not None and column.block != number and column.source is not None:
                    outer.setdefault(column.block, set()).add(column.source)
        for index, sources in outer.items():
            found.setdefault(index, []).append(sources)
    return found


def _links(index: int, block: Block) -> Iterator[set[int]]:
    everything = set(range(len(block.sources)))
    for place, source in enumerate(block.sources):
        if source.natural or source.using or source.join_kind is JoinKind.LATERAL:
            yield {place, max(0, place - 1)}
        elif _has_no_table(source):
            yield everything
    outside: set[int] = set()
    for predicate in block.predicates:
        linked = _linked_by(predicate, index, everything)
        yield linked
        if any(column.block not in (None, index) for column in predicate.columns):
            outside |= linked
    # Sources related to the same row of an enclosing query are related to each other.
    yield outside


def _linked_by(predicate: Predicate, index: int, everything: set[int]) -> set[int]:
    columns = predicate.columns
    if not columns and any(operand.sort is OperandKind.PARAMETER for operand in predicate.operands):
        return everything  # ON ${condition}: its content is unknown
    unknown = any(column.source is None for column in columns)
    if unknown and len({(column.qualifier.lower(), column.key) for column in columns}) > 1:
        return everything
    return _named(columns, index)


def _named(columns: Iterable[Column], index: int) -> set[int]:
    return {column.source for column in columns if column.block == index and column.source is not None}


def _has_no_table(source: Source) -> bool:
    """Whether it is VALUES or a table function: few rows, or rows derived from another source's row."""
    return not source.table and not source.blocks and not source.cte


def _one_row(statement: Statement, source: Source, known: dict[int, bool], depth: int = 0) -> bool:
    """Whether it has, or may have, at most one row; `known` caches the result by block."""
    if source.table.lower() in _ONE_ROW_TABLES:
        return True
    if len(source.blocks) != 1 or depth > _MAX_DEPTH:
        return False
    index = source.blocks[0]
    if index not in known:
        known[index] = False  # a recursive CTE
        known[index] = _gives_one_row(statement, statement.blocks[index], known, depth)
    return known[index]


def _gives_one_row(statement: Statement, block: Block, known: dict[int, bool], depth: int) -> bool:
    return (
        block.aggregated
        or _perhaps_aggregated(block)
        or block.limit == 1
        or _constant_rows(block)
        or all(_one_row(statement, inner, known, depth + 1) for inner in block.sources)
    )


def _constant_rows(block: Block) -> bool:
    """Whether it returns one row: grouped by constants only, or DISTINCT constants."""
    if block.group:
        return all(
            operand.sort in FILTERS and (operand.string or operand.value is None) for operand in block.group
        )
    return block.distinct is not None and all(
        not output.star and output.operand.sort in FILTERS for output in block.outputs
    )


def _perhaps_aggregated(block: Block) -> bool:
    """Whether its outputs are only calls of functions that may be user-defined aggregates."""
    return (
        not block.grouped
        and all(not output.star and output.operand.sort is not OperandKind.COLUMN for output in block.outputs)
        and any(not BUILT_IN.issuperset(output.operand.functions) for output in block.outputs)
    )


_ONE_ROW_TABLES = frozenset({"dual", "sys.dual", "system.one"})
_MAX_DEPTH = 20
