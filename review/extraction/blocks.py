"""Reads one SELECT as a block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlglot import exp

from review.extraction.block_state import BlockState
from review.extraction.expressions.operands import read_operand
from review.extraction.expressions.outputs import computed_outputs, outputs_of
from review.extraction.expressions.predicates import extract_predicates
from review.extraction.sources import SourceReader
from review.facts import Block, Clause, Hint, Operand, Predicate, Role, Span

_LOOK_BACK = 200
_CONDITIONS = (
    ("prewhere", Clause.WHERE),
    ("where", Clause.WHERE),
    ("having", Clause.HAVING),
    ("qualify", Clause.QUALIFY),
)


class BlockPosition(NamedTuple):
    """A block's position: the role of its rows, its parent block and its nesting depth."""

    role: Role
    parent: int | None
    depth: int


def extract_block(node: exp.Expr, rows: SourceReader, place: BlockPosition, around: list[exp.Expr]) -> Block:
    """Read a SELECT whose row sources have already been read.

    Args:
        node: the SELECT.
        rows: its row sources.
        place: its position.
        around: the parentheses around it, which may have an ORDER BY and LIMIT of their own.
    """
    frame, args, text = rows.frame, node.args, rows.frame.text
    frame.scope.aliases = frozenset(computed_outputs(node.expressions))
    frame.windows_named = {item.name.lower(): item for item in args.get("windows") or ()}
    frame.end = frame.cursor = begin = _begin_of(node, rows)
    outputs = tuple(output for item in node.expressions for output in outputs_of(item, frame))
    frame.end = max([frame.end, *(source.at.end for source in rows.sources)])
    predicates = [*attach_join_conditions(rows)]
    for key, clause in _CONDITIONS:
        if key in args:
            predicates += extract_where(args[key], clause, frame)
    group = _group(args.get("group"), frame)
    order, most = order_of(node, frame), limit_of(args.get("limit"))
    for outside in around:
        order = order or order_of(outside, frame)
        most = limit_of(outside.args.get("limit")) if most is None else most
    is_sorted = _sorted(node, frame)
    end = known.end if (known := text.span(node)) else max([begin, *(part.at.end for part in predicates)])
    return Block(
        Span(begin, max(end, frame.end, frame.cursor, order.end if order else 0)),
        place.role,
        place.parent,
        place.depth,
        tuple(rows.sources),
        tuple(predicates),
        tuple(frame.comparisons),
        outputs,
        tuple(frame.calls),
        tuple(frame.windows),
        tuple(frame.divisions),
        group,
        args.get("group") is not None,
        text.search(r"\bdistinct\b", begin) if args.get("distinct") else None,
        order,
        is_sorted,
        most,
        tuple(_hints(args.get("hint"), frame)),
    )


def attach_join_conditions(rows: SourceReader) -> Iterator[Predicate]:
    """Yield the ON conditions."""
    rows.frame.clause = Clause.ON
    for index, on in rows.conditions:
        rows.frame.cursor = rows.sources[index].at.end
        yield from extract_predicates(on, rows.frame, index)


def extract_where(node: exp.Expr | None, clause: Clause, frame: BlockState) -> list[Predicate]:
    """Return the conditions of WHERE, HAVING or QUALIFY."""
    if node is None or not isinstance(node.this, exp.Expr):
        return []
    frame.clause = clause
    frame.cursor = max(frame.cursor, frame.end)
    return extract_predicates(node.this, frame)


def _group(node: exp.Expr | None, frame: BlockState) -> tuple[Operand, ...]:
    if node is None:
        return ()
    frame.clause = Clause.GROUP
    return tuple(read_operand(part, frame) for part in _grouped(node))


def order_of(node: exp.Expr, frame: BlockState) -> Span | None:
    """Read ORDER BY; return its span, or None if there is none."""
    order = node.args.get("order")
    if not isinstance(order, exp.Expr):
        return None
    frame.clause = Clause.ORDER
    ends = [read_operand(_key(part), frame).at.end for part in order.expressions]
    frame.end = max([frame.end, *ends])
    return frame.text.span(order) or Span(frame.end, frame.end)


def _sorted(node: exp.Expr, frame: BlockState) -> bool:
    found = False
    for key in ("sort", "distribute", "cluster"):
        clause = node.args.get(key)
        if isinstance(clause, exp.Expr):
            found = True
            frame.clause = Clause.ORDER
            frame.end = max(
                [frame.end, *(read_operand(_key(part), frame).at.end for part in clause.expressions)]
            )
    return found


def _key(node: exp.Expr) -> exp.Expr:
    return node.this if isinstance(node, exp.Ordered) else node


def _begin_of(node: exp.Expr, rows: SourceReader) -> int:
    own = rows.frame.text.begin(node)
    if own is not None:
        return own
    first = min((source.at.begin for source in rows.sources), default=rows.frame.end)
    word = rows.frame.text.last(r"\bselect\b", first - _LOOK_BACK, first)
    return word.begin if word else first


def _hints(node: exp.Expr | None, frame: BlockState) -> Iterator[Hint]:
    if node is None:
        return
    for item in node.expressions:
        if not isinstance(item, exp.Expr):
            continue
        name = item.name if isinstance(item, (exp.Anonymous, exp.JoinHint, exp.Column, exp.Var)) else ""
        name = name or item.key
        aliases = tuple(part.name for part in item.expressions if part.name)
        yield Hint(frame.text.span(item) or frame.text.span(node) or frame.text.at, name.lower(), aliases)


def _grouped(node: exp.Expr) -> Iterator[exp.Expr]:
    for key in ("expressions", "cube", "rollup", "grouping_sets"):
        for part in node.args.get(key) or ():
            if isinstance(part, (exp.Rollup, exp.Cube, exp.GroupingSets, exp.Tuple)):
                yield from _grouped(part)
            elif isinstance(part, exp.Expr):
                yield part


def limit_of(node: exp.Expr | None) -> int | None:
    """Return the number of a LIMIT: 0 if it is not a plain number, None without LIMIT."""
    if not isinstance(node, exp.Expr):
        return None
    count = node.args.get("expression") or node.args.get("count")
    if count is None and isinstance(node, exp.Fetch):
        return 1  # FETCH FIRST ROW ONLY
    plain = isinstance(count, exp.Literal) and not count.is_string and str(count.this).isdigit()
    return int(str(count.this)) if plain and count is not None else 0
