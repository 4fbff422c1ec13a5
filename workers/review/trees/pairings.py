"""Row sources that no predicate links."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from workers.review.facts import Pairing
from workers.review.trees.blocks import branches, cte_of, sources
from workers.review.trees.source import Source

_AFTER_COMMA = re.compile(r",[\s(]*(?:(?:select|distinct|all|with|from)\b[\s(]*)*$", re.IGNORECASE)
_LOOK_BACK = 200


def pairings(tree: exp.Expr, source: Source) -> Iterator[Pairing]:
    """Yield the row sources that are joined to the ones before them by no predicate at all.

    A source of at most one row (an aggregate without GROUP BY) multiplies nothing and is left out. Columns
    without a table's name may belong to any source: where they could be the link, nothing is yielded.
    """
    for select in tree.find_all(exp.Select):
        yield from _unlinked(select, source)


def _unlinked(select: exp.Select, source: Source) -> Iterator[Pairing]:
    taken = [(row_source, join) for row_source, join in sources(select) if _has_rows_of_its_own(row_source)]
    if len(taken) < 2:  # noqa: PLR2004 - a pair
        return
    links = _Links([row_source.alias_or_name.lower() for row_source, _ in taken])
    for position, (_, join) in enumerate(taken):
        if join is not None:
            links.join(position, join, source)
    if where := select.args.get("where"):
        links.condition(where.this, source)
    if links.anything:
        return
    many = [index for index, (row_source, _) in enumerate(taken) if not _one_row(row_source)]
    seen = {links.group(many[0])} if many else set()
    for index in many:
        row_source, join = taken[index]
        if links.group(index) in seen:
            continue
        seen.add(links.group(index))
        begin = source.first(row_source) or 0
        yield Pairing(
            source.place(begin), source.name(row_source) or row_source.alias, _crossed(join, begin, source)
        )


class _Links:
    """Which of a block's sources predicates bring together."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._groups = list(range(len(names)))
        self.anything = False

    def group(self, index: int) -> int:
        """Return the group that the source at `index` belongs to."""
        return self._groups[index]

    def join(self, position: int, join: exp.Join, source: Source) -> None:
        """Take in what links the source at `position` to those before it."""
        if join.args.get("using") or join.method == "NATURAL":
            self._unite(set(range(position + 1)))
        if on := join.args.get("on"):
            self.condition(on, source)

    def condition(self, condition: exp.Expr, source: Source) -> None:
        """Take in each part of a condition."""
        waiting = [condition]
        while waiting:
            part = waiting.pop()
            if isinstance(part, exp.And):
                waiting += [part.this, part.expression]
            elif isinstance(part, exp.Paren):
                waiting.append(part.this)
            else:
                self._predicate(part, source)

    def _predicate(self, part: exp.Expr, source: Source) -> None:
        if isinstance(part, exp.Column) and source.is_parameter(part):
            self.anything = True  # a whole condition handed in
            return
        named: set[int] = set()
        open_ = 0
        for column in part.find_all(exp.Column):
            if source.is_parameter(column):
                continue
            qualifiers = {name.name.lower() for name in column.parts[:-1]}
            found = {index for index, name in enumerate(self._names) if name in qualifiers}
            named |= found
            inner = column.find_ancestor(exp.Query) is not part.find_ancestor(exp.Query)
            open_ += not found and not (inner and not qualifiers)
        if open_ and open_ + len(named) > 1:
            self.anything = True
        self._unite(named)

    def _unite(self, indexes: set[int]) -> None:
        groups = {self._groups[index] for index in indexes}
        if groups:
            least = min(groups)
            self._groups = [least if group in groups else group for group in self._groups]


def _has_rows_of_its_own(row_source: exp.Expr) -> bool:
    if isinstance(row_source, exp.Table):
        return isinstance(row_source.this, exp.Identifier)
    return isinstance(row_source, exp.Subquery)


def _one_row(row_source: exp.Expr) -> bool:
    if isinstance(row_source, exp.Table):
        cte = cte_of(row_source)
        return cte is not None and _query_one_row(cte.this)
    return _query_one_row(row_source)


def _query_one_row(query: exp.Expr) -> bool:
    blocks = list(branches(query))
    return len(blocks) == 1 and _block_one_row(blocks[0])


def _block_one_row(select: exp.Select) -> bool:
    limit = select.args.get("limit")
    if (
        isinstance(limit, exp.Limit)
        and isinstance(limit.expression, exp.Literal)
        and limit.expression.name == "1"
    ):
        return True
    if all(_one_row(row_source) for row_source, _ in sources(select)):
        return not select.args.get("laterals")
    if select.args.get("group"):
        return False
    return any(
        node.find_ancestor(exp.Window, exp.Select) is select
        for projection in select.expressions
        for node in projection.find_all(exp.AggFunc)
    )


def _crossed(join: exp.Join | None, begin: int, source: Source) -> bool:
    if join is None or join.kind != "CROSS":
        return False
    # Hive's grammar gives a comma the kind CROSS too: only the text tells them apart.
    return not _AFTER_COMMA.search(source.piece.text[max(0, begin - _LOOK_BACK) : begin])
