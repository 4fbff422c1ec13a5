"""Reads column references: their names, and the row source that each belongs to."""

from __future__ import annotations

from sqlglot import exp

from review.extraction.block_state import BlockState, ExpressionFlag, ExpressionInfo
from review.extraction.scopes import QueryScope
from review.facts import Clause, Column, Span


def plain_column(node: exp.Expr, frame: BlockState) -> Column | None:
    """Read a column written as `a` or `t.a`; None for any other form."""
    args, text = node.args, frame.text
    this, table = args["this"], args.get("table")
    if type(this) is not exp.Identifier or args.get("db") or (span := text.span(this)) is None:
        return None
    name: str = this.args["this"]
    if table is None:
        if text.has_parameter(span[0], span[1]) or _is_constant(name, frame):
            return None
        key = name.lower()
        owner = None if _is_alias(key, frame) else frame.scope.bare(key)
        return Column(span, name, "", *owner) if owner else Column(span, name)
    if type(table) is not exp.Identifier or (first := text.span(table)) is None:
        return None
    qualifier: str = table.args["this"]
    if (owner := frame.scope.qualified(qualifier.lower())) is None or text.has_parameter(first[0], span[1]):
        return None
    return Column(Span(first[0], span[1]), name, qualifier, *owner)


def _is_constant(name: str, frame: BlockState) -> bool:
    """Whether a name is a variable of the script (`@d`) or a constant of WITH, not a column."""
    return name.startswith("@") or name.lower() in frame.constants


def visit_column(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    """Read a column, a star, or a parameter in a column's position."""
    if (plain := plain_column(node, frame)) is not None:
        found.widen(plain.at[0], plain.at[1])
        found.columns.append(plain)
        return
    text = frame.text
    parts = node.parts if isinstance(node, exp.Column) else []
    spans = [text.span(part) for part in parts]
    first, last = (spans[0], spans[-1]) if spans else (None, None)
    if first is None or last is None:
        return
    found.widen(first.begin, last.end)
    if isinstance(node.this, exp.Star):
        found.traits |= ExpressionFlag.ROWS
        return
    if text.has_parameter(first.begin, last.end):
        found.traits |= ExpressionFlag.PARAMETER
        return
    if len(parts) == 1 and _is_constant(parts[0].name, frame):
        return
    found.columns.append(_resolved([part.name for part in parts], spans, frame))


def _resolved(names: list[str], spans: list[Span | None], frame: BlockState) -> Column:
    begin = spans[0].begin if spans[0] else 0
    scope = frame.scope
    for size in range(1, len(names)):
        owner = scope.qualified(".".join(names[:size]).lower())
        if owner is not None:
            end = spans[size]
            return Column(Span(begin, end.end if end else begin), names[size], ".".join(names[:size]), *owner)
    if len(names) == 1:
        owner = None if _is_alias(names[0].lower(), frame) else scope.bare(names[0].lower())
        return Column(
            Span(begin, spans[0].end if spans[0] else begin), names[0], "", *(owner or (None, None))
        )
    # A struct field, if a source is known to have a column of the first name.
    if (owner := scope.bare(names[0].lower())) and names[0].lower() in _names_of(scope, owner):
        return Column(Span(begin, spans[0].end if spans[0] else begin), names[0], "", *owner)
    end = spans[-1]
    return Column(Span(begin, end.end if end else begin), names[-1], ".".join(names[:-1]))


def _names_of(scope: QueryScope | None, owner: tuple[int, int]) -> frozenset[str]:
    """Return the known columns of the source `owner`."""
    while scope is not None:
        if scope.block == owner[0]:
            return scope.columns[owner[1]].names
        scope = scope.outer
    return frozenset()


def _is_alias(name: str, frame: BlockState) -> bool:
    if name not in frame.scope.aliases or frame.clause not in frame.aliases_seen:
        return False
    return frame.clause is not Clause.GROUP or not frame.scope.has(name)
