"""MC-C03: cartesian-join."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from common.verdicts import Severity
from review.analysis.row_counts import has_few_rows, has_no_table, has_one_row
from review.analysis.wording import display_name
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
    Any condition with columns of both sides counts, whatever it compares, also if the name of a column is a
    parameter (`a.${key} = b.id`), and so does a condition that is a parameter (`ON ${condition}`). An
    unqualified column that may belong to any side counts for all sides.
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
                    inner = correlated.get(index, {})
                    links = [*_links(index, block, inner), *inner.values()]
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
        and not has_one_row(statement, source, known)
    ]
    few = dict[int, bool]()
    many = [place for place in wide if not has_few_rows(statement, block.sources[place], known, few)]
    certain = set(_unlinked(block, groups, many))
    for place in _unlinked(block, groups, wide):
        source = block.sources[place]
        severity = None if place in certain else Severity.WARN
        yield Hit(source.at, _message(block, source), severity=severity, key=display_name(source).en)


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


def _correlated(statement: Statement) -> dict[int, dict[int, set[int]]]:
    """Return, by block and by subquery, the sources of the block that the correlated subquery relates."""
    found: dict[int, dict[int, set[int]]] = {}
    for number, inner in enumerate(statement.blocks):
        outer: dict[int, set[int]] = {}
        for predicate in inner.predicates:
            for column in predicate.columns:
                if column.block is not None and column.block != number and column.source is not None:
                    outer.setdefault(column.block, set()).add(column.source)
        for index, sources in outer.items():
            found.setdefault(index, {})[number] = sources
    return found


def _links(index: int, block: Block, inner: Mapping[int, set[int]]) -> Iterator[set[int]]:
    everything = set(range(len(block.sources)))
    named: dict[str, int] = {}
    for place, source in enumerate(block.sources):
        if source.alias:  # which of two sources with one name a condition relates is for MC-C15
            yield {place, named.setdefault(source.alias.lower(), place)}
        if source.natural or source.using or source.join_kind is JoinKind.LATERAL:
            yield {place, max(0, place - 1)}
        elif has_no_table(source):
            yield everything
    outside: set[int] = set()
    for predicate in block.predicates:
        linked = _linked_by(predicate, index, everything) | _named_by_parameters(predicate, named)
        asked = [number for operand in predicate.operands for number in operand.blocks]
        yield linked.union(*(inner.get(number, ()) for number in asked))
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


def _named_by_parameters(predicate: Predicate, aliases: Mapping[str, int]) -> set[int]:
    """Return the sources that qualify a column whose name is a parameter: `a.${key}`."""
    written = [
        operand.value.partition(".")
        for operand in predicate.operands
        if operand.sort is OperandKind.PARAMETER and operand.value and not operand.string
    ]
    return {
        aliases[qualifier.lower()] for qualifier, dot, _ in written if dot and qualifier.lower() in aliases
    }


def _named(columns: Iterable[Column], index: int) -> set[int]:
    return {column.source for column in columns if column.block == index and column.source is not None}
