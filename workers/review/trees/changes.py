"""Rows and things that a statement changes, takes away, makes and fills."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from workers.review.facts import Change, Gone, Removal, Verb
from workers.review.trees.source import Source

_DROPPED = {"TABLE": Gone.TABLE, "DATABASE": Gone.DATABASE, "SCHEMA": Gone.SCHEMA}


def changes(tree: exp.Expr, source: Source) -> Iterator[Change]:
    """Yield the DELETEs and UPDATEs of `tree`; not the branches of a MERGE, which has its own condition."""
    for node in tree.find_all(exp.Delete, exp.Update):
        if isinstance(node.parent, exp.When):
            continue
        where = node.args.get("where")
        filtered = bool(node.this and node.this.args.get("joins"))
        if where is not None:
            filtered = filtered or not _always(where.this)
        verb = Verb.DELETE if isinstance(node, exp.Delete) else Verb.UPDATE
        at = source.at if node is tree else source.place_of(node)
        yield Change(at, verb, source.name(node.this), filtered)


def removals(tree: exp.Expr, source: Source) -> Iterator[Removal]:
    """Yield what a DROP or TRUNCATE takes away; dropping a temporary table or a view loses nothing."""
    if isinstance(tree, exp.Drop) and not tree.args.get("temporary"):
        what = _DROPPED.get(str(tree.args.get("kind")).upper())
        for table in tree.args.get("tables") or ():
            if what:
                yield Removal(source.at, what, source.name(table))
    elif isinstance(tree, exp.TruncateTable):
        partition = tree.args.get("partition")
        begin = source.first(partition) if partition else None
        for table in tree.expressions:
            if begin is None:
                yield Removal(source.at, Gone.ROWS, source.name(table))
            else:
                given = source.has_parameter(begin, len(source.piece.text))
                yield Removal(source.at, Gone.PARTITION, source.name(table), given)


def makes(tree: exp.Expr, source: Source) -> Iterator[str]:
    """Yield the tables that `tree` creates and that cannot have been there before."""
    if isinstance(tree, exp.Create) and not tree.args.get("exists") and not tree.args.get("replace"):
        yield from _table(tree.this, source)


def fills(tree: exp.Expr, source: Source) -> Iterator[str]:
    """Yield the tables that `tree` creates or writes rows into."""
    for node in tree.find_all(exp.Create, exp.Insert, exp.Merge, exp.LoadData):
        yield from _table(node.this, source)


def _table(target: exp.Expr | None, source: Source) -> Iterator[str]:
    table = target.this if isinstance(target, exp.Schema) else target
    if name := source.name(table):
        yield name


def _always(condition: exp.Expr) -> bool:
    if isinstance(condition, exp.Paren):
        return _always(condition.this)
    if isinstance(condition, exp.And):
        return all(_always(part) for part in condition.flatten())
    if isinstance(condition, exp.Or):
        return any(_always(part) for part in condition.flatten())
    if isinstance(condition, exp.EQ):
        one, other = condition.this, condition.expression
        return isinstance(one, exp.Literal) and isinstance(other, exp.Literal) and one.this == other.this
    if isinstance(condition, exp.Literal):
        return not condition.is_string and condition.this not in ("0", "0.0")
    return isinstance(condition, exp.Boolean) and bool(condition.this)
