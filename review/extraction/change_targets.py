"""Finds which row source of an UPDATE or DELETE is the table that it changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlglot import exp

from review.dialects import Dialect
from review.extraction.queries import QueryWalker
from review.extraction.scopes import QueryScope
from review.extraction.sources import SourceReader
from review.facts import JoinKind, Source, is_same_table, last_part

_TARGET_IN_FROM = frozenset({Dialect.TSQL, Dialect.REDSHIFT})
"""Dialects in which the FROM of an UPDATE may contain the target: then it is that row source, not another.

Sources: pages "UPDATE (Transact-SQL)" and "FROM clause" of SQL Server, "UPDATE" of Amazon Redshift.
"""


def begin_change(
    target: object, others: Sequence[exp.Expr], walk: QueryWalker, *, listed: bool = False
) -> tuple[SourceReader, int]:
    """Begin the block of a change: read its target and the sources that it is joined with.

    Args:
        target: the table that is changed, as a node.
        others: the sources of FROM or USING, which may contain the target.
        walk: the statement.
        listed: whether `others` always contains the target, which is then only a name.
    """
    index = len(walk.blocks)
    walk.blocks.append(None)
    walk.depths.append(0)
    walk.parent = index
    rows = walk.rows(walk.frame(QueryScope(index)))
    name = walk.text.name(target) if isinstance(target, exp.Table) else ""
    if listed or (walk.dialect in _TARGET_IN_FROM and _has_target(name, others, walk)):
        first = others[:1]
        rows.read(first[0] if first else None, exp.Select())
        others = others[1:]
    elif isinstance(target, exp.Expr):
        rows.read(target, exp.Select())
    for part in others:
        rows.join(part, JoinKind.COMMA, None)
    if rows.sources:
        rows.mark_target(find_source(name, rows.sources) or 0)
    return rows, index


def find_source(name: str, sources: Sequence[Source]) -> int | None:
    """Return the index of the source that `name` refers to: its alias, else its table; None without one."""
    found = [place for place, source in enumerate(sources) if _is_named(name, source.table, source.alias)]
    return min(found, key=lambda place: sources[place].alias.lower() != name.lower(), default=None)


def _has_target(name: str, others: Iterable[exp.Expr], walk: QueryWalker) -> bool:
    for node in _joined(others):
        table = walk.text.name(node) if isinstance(node, exp.Table) else ""
        if _is_named(name, table, node.alias or last_part(table)):
            return True
    return False


def _is_named(name: str, table: str, alias: str) -> bool:
    return bool(name) and (alias.lower() == name.lower() or is_same_table(name, table))


def _joined(nodes: Iterable[exp.Expr]) -> Iterator[exp.Expr]:
    """Yield row sources, and those that are joined to them."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
            waiting.append(node.this)
        yield node
        waiting += [join.this for join in node.args.get("joins") or () if isinstance(join.this, exp.Expr)]


def changed_table(source: Source, walk: QueryWalker) -> tuple[str, bool]:
    """Return the table whose rows a source has, and whether a query that it names selects among them.

    The source of a change may be a CTE or a subquery over one table.
    """
    filtered = False
    for _ in range(_MAX_DEPTH):
        block = walk.blocks[source.blocks[0]] if source.blocks else None
        if block is None or not block.sources:
            break
        filtered = filtered or bool(block.predicates) or block.limit is not None or len(block.sources) > 1
        source = block.sources[0]
    return source.table or source.cte, filtered


_MAX_DEPTH = 20
"""Maximum queries in queries that are followed to the table."""
