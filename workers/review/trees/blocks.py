"""Query blocks: what a SELECT takes its rows from."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp


def sources(select: exp.Select) -> Iterator[tuple[exp.Expr, exp.Join | None]]:
    """Yield what the block takes rows from, each with the join that brings it in; the first has none."""
    origin = select.args.get("from_")
    first = origin.this if origin else None
    if first is None and isinstance(parent := _holder(select), exp.MultitableInserts):
        first = parent.args.get("source")
    if first is not None:
        yield first, None
        yield from _joined(first)
    yield from _joined(select)


def _joined(holder: exp.Expr) -> Iterator[tuple[exp.Expr, exp.Join]]:
    for join in holder.args.get("joins") or ():
        yield join.this, join
        yield from _joined(join.this)


def _holder(select: exp.Select) -> exp.Expr | None:
    return select.parent.parent if isinstance(select.parent, exp.Insert) else select.parent


def branches(query: exp.Expr) -> Iterator[exp.Select]:
    """Yield the blocks whose rows are those of `query`: itself, or the branches of a UNION."""
    waiting = [query]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Select):
            yield node
        elif isinstance(node, exp.SetOperation):
            waiting += [node.expression, node.this]
        elif isinstance(node, (exp.Subquery, exp.Paren)):
            waiting.append(node.this)


def cte_of(table: exp.Table) -> exp.CTE | None:
    """Return the common table expression that `table` names, or None for a table of the database."""
    if table.args.get("db") or not isinstance(table.this, exp.Identifier):
        return None
    name, child, node = table.name.lower(), None, table.parent
    while node is not None:
        if isinstance(node, exp.CTE):
            child = node
        if isinstance(given := node.args.get("with_"), exp.With):
            for cte in given.expressions:
                # One that is not recursive sees only those before it.
                if cte is child and not given.recursive:
                    break
                if cte.alias.lower() == name:
                    return cte if isinstance(cte, exp.CTE) else None
        node = node.parent
    return None
