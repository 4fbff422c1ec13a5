"""Reads conditions: splits them at AND, and includes parentheses and NOT in their spans."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlglot import exp

from review.extraction.block_state import BlockState
from review.extraction.expressions.operands import read_operand
from review.facts import Operand, OperandKind, Operator, Predicate, Role, Span

_OPPOSITE = {
    Operator.EQ: Operator.NE,
    Operator.NE: Operator.EQ,
    Operator.LT: Operator.GE,
    Operator.GE: Operator.LT,
    Operator.GT: Operator.LE,
    Operator.LE: Operator.GT,
    Operator.IN: Operator.NOT_IN,
    Operator.NOT_IN: Operator.IN,
    Operator.LIKE: Operator.NOT_LIKE,
    Operator.NOT_LIKE: Operator.LIKE,
    Operator.IS_NULL: Operator.IS_NOT_NULL,
    Operator.IS_NOT_NULL: Operator.IS_NULL,
    Operator.EXISTS: Operator.NOT_EXISTS,
    Operator.NOT_EXISTS: Operator.EXISTS,
}
_COMPARISONS: dict[type[exp.Expr], Operator] = {
    exp.EQ: Operator.EQ,
    exp.NEQ: Operator.NE,
    exp.LT: Operator.LT,
    exp.LTE: Operator.LE,
    exp.GT: Operator.GT,
    exp.GTE: Operator.GE,
    exp.NullSafeEQ: Operator.NULL_SAFE_EQ,
    exp.NullSafeNEQ: Operator.NULL_SAFE_EQ,
    exp.Like: Operator.LIKE,
    exp.ILike: Operator.LIKE,
    exp.RegexpLike: Operator.LIKE,
    exp.RegexpILike: Operator.LIKE,
    exp.SimilarTo: Operator.LIKE,
}


def extract_predicates(
    node: exp.Expr, frame: BlockState, join: int | None = None, *, negated: bool = False
) -> list[Predicate]:
    """Return the conditions joined by AND in `node`; an ON TRUE that the parser added is left out."""
    made: list[Predicate] = []
    waiting = [(node, negated)]
    while waiting:
        part, opposite = waiting.pop()
        part, opposite = _stripped(part, opposite)
        if isinstance(part, exp.Or if opposite else exp.And):
            waiting += [(part.expression, opposite), (part.this, opposite)]
        elif isinstance(part, (exp.And, exp.Or)):
            made.append(_any_of(part, opposite, frame, join))
        elif isinstance(part, exp.Between) and opposite:
            made.append(_outside_of(part, frame, join))
        else:
            made.append(_simple(part, opposite, frame, join))
    return made


def _stripped(node: exp.Expr, negated: bool) -> tuple[exp.Expr, bool]:
    while isinstance(node, (exp.Paren, exp.Not)):
        negated ^= isinstance(node, exp.Not)
        node = node.this
    # NOT LIKE and IS DISTINCT FROM have nodes of their own: read as the negation of their opposite.
    return node, negated ^ (bool(node.args.get("negate")) or isinstance(node, exp.NullSafeNEQ))


def _any_of(node: exp.Expr, negated: bool, frame: BlockState, join: int | None) -> Predicate:
    branches: list[tuple[Predicate, ...]] = []
    waiting = [(node, negated)]
    while waiting:
        inner = waiting.pop()
        part, opposite = _stripped(*inner)
        if isinstance(part, exp.And if opposite else exp.Or):
            waiting += [(part.expression, opposite), (part.this, opposite)]
        elif branch := tuple(extract_predicates(inner[0], frame, join, negated=inner[1])):
            branches.append(branch)
    at = _around((item.at for branch in branches for item in branch), frame)
    if negated:
        at = _with_not(at, frame)
    return Predicate(at, Operator.ANY_OF, branches[0][0].left, (), frame.clause, join, tuple(branches))


def _outside_of(node: exp.Expr, frame: BlockState, join: int | None) -> Predicate:
    """Read `NOT BETWEEN`: less than the lower bound or greater than the upper."""
    inner = _simple(node, False, frame, join)
    at = _with_not(inner.at, frame)
    branches = tuple(
        (Predicate(inner.at, operator, inner.left, (right,), frame.clause, join),)
        for operator, right in zip((Operator.LT, Operator.GT), inner.rights, strict=False)
    )
    return Predicate(at, Operator.ANY_OF, inner.left, (), frame.clause, join, branches)


def _simple(node: exp.Expr, negated: bool, frame: BlockState, join: int | None) -> Predicate:
    operator, left, rights = _parts(node, frame)
    at = _at(node, (left, *rights), frame)
    left, rights = _somewhere(left, at), tuple(_somewhere(right, at) for right in rights)
    if negated:
        at = _with_not(at, frame)
        if operator not in _OPPOSITE:
            whole = Operand(
                at, left.sort if not rights else OperandKind.COMPUTED, left.value, left.string, left.type,
                tuple(column for item in (left, *rights) for column in item.columns),
                tuple(name for item in (left, *rights) for name in item.functions),
                tuple(block for item in (left, *rights) for block in item.blocks),
            )  # fmt: skip
            return Predicate(at, Operator.NOT, whole, (), frame.clause, join)
        operator = _OPPOSITE[operator]
    return Predicate(at, operator, left, rights, frame.clause, join)


def _parts(node: exp.Expr, frame: BlockState) -> tuple[Operator, Operand, tuple[Operand, ...]]:
    kind = type(node)
    is_complete = isinstance(node, exp.Binary) and node.args.get("expression") is not None
    if (operator := _COMPARISONS.get(kind)) is not None and is_complete:
        return operator, read_operand(node.this, frame), (read_operand(node.expression, frame),)
    if (reader := _READERS.get(kind)) is not None:
        return reader(node, frame)
    if isinstance(node, (exp.Predicate, exp.Connector)):
        return _truth(node, frame)
    return Operator.TRUTH, read_operand(node, frame), ()


def _truth(node: exp.Expr, frame: BlockState) -> tuple[Operator, Operand, tuple[Operand, ...]]:
    """Return the parts of a condition of any number of operands: `regexp_like()` has none."""
    parts = tuple(read_operand(part, frame) for part in node.iter_expressions())
    return Operator.TRUTH, parts[0] if parts else Operand(Span(0, 0), OperandKind.CONSTANT), parts[1:]


def _is(node: exp.Expr, frame: BlockState) -> tuple[Operator, Operand, tuple[Operand, ...]]:
    left = read_operand(node.this, frame)
    if isinstance(node.expression, exp.Null):
        return Operator.IS_NULL, left, ()
    return Operator.NULL_SAFE_EQ, left, (read_operand(node.expression, frame),)


def _in(node: exp.Expr, frame: BlockState) -> tuple[Operator, Operand, tuple[Operand, ...]]:
    left = read_operand(node.this, frame)
    query = node.args.get("query") or node.args.get("unnest") or node.args.get("field")
    if isinstance(query, exp.Query):
        return Operator.IN, left, (_of_query(query, Role.IN, frame),)
    listed = [query] if isinstance(query, exp.Expr) else node.expressions
    return Operator.IN, left, tuple(read_operand(item, frame) for item in listed)


def _between(node: exp.Expr, frame: BlockState) -> tuple[Operator, Operand, tuple[Operand, ...]]:
    return (
        Operator.BETWEEN,
        read_operand(node.this, frame),
        (read_operand(node.args["low"], frame), read_operand(node.args["high"], frame)),
    )


def _exists(node: exp.Expr, frame: BlockState) -> tuple[Operator, Operand, tuple[Operand, ...]]:
    if not isinstance(node.this, exp.Query):
        return _truth(node, frame)
    return Operator.EXISTS, _of_query(node.this, Role.EXISTS, frame), ()


def _of_query(query: exp.Expr, role: Role, frame: BlockState) -> Operand:
    blocks = frame.query(query, role, frame)
    span = frame.span_of(blocks)
    at = Span(*frame.text.enclosing_bracket(*span)) if span else Span(0, 0)
    return Operand(at, OperandKind.QUERY, blocks=blocks)


_READERS: dict[
    type[exp.Expr], Callable[[exp.Expr, BlockState], tuple[Operator, Operand, tuple[Operand, ...]]]
] = {
    exp.Is: _is,
    exp.In: _in,
    exp.Between: _between,
    exp.Exists: _exists,
}


def _around(spans: Iterable[Span], frame: BlockState) -> Span:
    known = [span for span in spans if span[1]]
    if not known:
        return Span(frame.end, frame.end)
    return known[0] if len(known) == 1 else Span(min(known)[0], max([span[1] for span in known]))


_REST = {
    exp.Is: r"is\s+(?:not\s+)?(?:null|true|false|unknown)\b",
    exp.EQ: r"(?:=|==)\s*(?:null|true|false)\b",
    exp.NEQ: r"(?:<>|!=)\s*(?:null|true|false)\b",
}


def _at(node: exp.Expr, parts: tuple[Operand, ...], frame: BlockState) -> Span:
    at = _around((part.at for part in parts), frame)
    kind, text = type(node), frame.text
    # IS NULL and = NULL: the right side has no recorded position.
    if kind in _REST and not (len(parts) > 1 and parts[1].at.end):
        end = text.follows(at.end, _REST[kind])
        return at if end is None else Span(at.begin, end)
    if kind is exp.In:
        return Span(at.begin, text.closing_end(at.begin, at.end))
    if kind is exp.Exists and (begin := text.precedes(at.begin, r"\bexists")) is not None:
        return Span(begin, at.end)
    return at


def _with_not(at: Span, frame: BlockState) -> Span:
    begin = frame.text.precedes(at.begin, r"\bnot[\s(]*")
    if begin is None:
        return at
    end = frame.text.closing_end(begin, at.end)
    # The NOT may apply to more than this condition.
    return Span(begin, end) if frame.text.balanced(begin, end) else at


def _somewhere(part: Operand, at: Span) -> Operand:
    """Give an operand whose position the parser did not record (NULL, TRUE) that of its condition."""
    if part.at.end:
        return part
    return Operand(
        at, part.sort, part.value, part.string, part.type, part.columns, part.functions, part.blocks
    )
