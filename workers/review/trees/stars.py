"""Stars over tables whose columns the statement does not list."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from workers.review.facts import Star
from workers.review.trees.blocks import branches, cte_of, sources
from workers.review.trees.source import Source


def stars(tree: exp.Expr, source: Source) -> Iterator[Star]:
    """Yield the stars of `tree` that take columns nobody listed; not those of EXISTS, not `count(*)`."""
    columns = _Columns()
    for select in tree.find_all(exp.Select):
        if _in_exists(select):
            continue
        for projection in select.expressions:
            if columns.unlisted(select, projection):
                yield Star(source.place_of(projection), _reaches_result(select))


class _Columns:
    """Which queries list their columns; remembers its answers."""

    def __init__(self) -> None:
        self._known: dict[int, bool] = {}

    def unlisted(self, select: exp.Select, projection: exp.Expr) -> bool:
        """Whether `projection` is a star over something that does not list its columns."""
        if isinstance(projection, exp.Star):
            wanted = ""
        elif isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star):
            wanted = projection.table.lower()
        else:
            return False
        return any(
            not self._lists(row_source)
            for row_source, _ in sources(select)
            if not wanted or row_source.alias_or_name.lower() == wanted
        )

    def _lists(self, row_source: exp.Expr) -> bool:
        alias = row_source.args.get("alias")
        if isinstance(alias, exp.TableAlias) and alias.columns:
            return True
        if isinstance(row_source, exp.Subquery):
            return self._query_lists(row_source.this)
        if not isinstance(row_source, exp.Table) or not isinstance(row_source.this, exp.Identifier):
            return True  # VALUES, a function's rows, a variable of the script
        cte = cte_of(row_source)
        return cte is not None and (bool(cte.args["alias"].columns) or self._query_lists(cte.this))

    def _query_lists(self, query: exp.Expr) -> bool:
        if id(query) not in self._known:
            self._known[id(query)] = True  # for a query that names itself
            self._known[id(query)] = not any(
                self.unlisted(select, projection)
                for select in branches(query)
                for projection in select.expressions
            )
        return self._known[id(query)]


def _outermost(select: exp.Select) -> exp.Expr:
    node: exp.Expr = select
    while isinstance(node.parent, (exp.SetOperation, exp.Subquery, exp.Paren)):
        node = node.parent
    return node


def _in_exists(select: exp.Select) -> bool:
    return isinstance(_outermost(select).parent, exp.Exists)


def _reaches_result(select: exp.Select) -> bool:
    node = _outermost(select)
    if isinstance(node.parent, exp.MultitableInserts):
        return node.arg_key != "source"
    return node.parent is None or isinstance(node.parent, (exp.Insert, exp.Create))
