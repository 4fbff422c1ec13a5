"""Walks an expression recursively; each kind of node has a handler that collects its facts."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from review.extraction.block_state import BlockState, ExpressionFlag, ExpressionInfo
from review.extraction.expressions.calls import visit_call, visit_dotted, visit_window
from review.extraction.expressions.columns import visit_column
from review.extraction.expressions.operands import children, parts, read_operand, visit_placed
from review.facts import Division, OperandKind, Operator, Predicate, Role, Span

Handler = Callable[[exp.Expr, BlockState, ExpressionInfo], None]


def visit(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    """Add the facts of an expression and of all its parts to `found`."""
    kind = type(node)
    handler = _HANDLERS.get(kind)
    if handler is None:
        handler = _HANDLERS[kind] = _handler(kind)
    handler(node, frame, found)


def _handler(kind: type[exp.Expr]) -> Handler:
    for base, handler in _BASES:
        if issubclass(kind, base):
            return handler
    return children


def _binary(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    rights = []
    while isinstance(node, exp.Binary) and (_HANDLERS.get(type(node)) or _handler(type(node))) is _binary:
        rights.append(node.args.get("expression"))
        node = node.this
    visit(node, frame, found)
    for right in reversed(rights):
        if isinstance(right, exp.Expr):
            visit(right, frame, found)


def _outside(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    found.traits |= ExpressionFlag.PARAMETER
    for child in parts(node):
        visit_placed(child, frame, found)
    if isinstance(node.this, exp.Var):
        visit_placed(node.this, frame, found)


def _nothing(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    """Ignore a node that affects no value and has no position."""


def _cast(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    inner = ExpressionInfo()
    visit(node.this, frame, inner)
    if inner.begin >= 0:
        begin = frame.text.precedes(inner.begin, r"\b(?:try_|safe_)?cast\s*\(\s*")
        if begin is not None:
            closing = frame.text.search(r"\)", inner.end)
            kind = frame.text.follows(inner.end, r"as\s[^()]*+(?:\([\d\s,]*+\)[^()]*+)?+\)")
            inner.widen(begin, kind or (closing.end if closing else inner.end))
        elif (begin := frame.text.precedes(inner.begin, _TYPE_NAME)) is not None:
            node.this.meta["typed"] = True
            inner.widen(begin, inner.end)
        elif (end := frame.text.follows(inner.end, r"::\s*\w+(?:\([\d\s,]*\))?")) is not None:
            inner.widen(inner.begin, end)
    found.merge(inner)


_TYPE_NAME = r"\b(?:date|datetime|timestamp|timestamp_ntz|time|decimal|bigint|bd|binary)"


def _case(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    inner = ExpressionInfo()
    subject = node.args.get("this")
    left = read_operand(subject, frame) if isinstance(subject, exp.Expr) else None
    if left is not None:
        inner.absorb(left)
    for branch in node.args.get("ifs") or ():
        if left is None:
            _condition(branch.this, frame, inner)
        else:
            right = read_operand(branch.this, frame)
            inner.absorb(right)
            at = right.at if right.at.end else left.at
            frame.comparisons.append(Predicate(at, Operator.EQ, left, (right,), frame.clause))
        if isinstance(result := branch.args.get("true"), exp.Expr):
            visit(result, frame, inner)
    if isinstance(default := node.args.get("default"), exp.Expr):
        visit(default, frame, inner)
    if inner.begin >= 0:
        begin = frame.text.precedes(inner.begin, r"\bcase(?:\s+when)?(?:\s*\(|\s+not\b|\s+exists\b)*")
        end = frame.text.follows(
            inner.end, r"(?:\)|\s|\bis\b|\bnot\b|\bnull\b|\belse\b|\bthen\b|\btrue\b|\bfalse\b)*?\bend\b"
        )
        inner.widen(inner.begin if begin is None else begin, inner.end if end is None else end)
    found.merge(inner)


def _if(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    inner = ExpressionInfo()
    _condition(node.this, frame, inner)
    for key in ("true", "false"):
        if isinstance(part := node.args.get(key), exp.Expr):
            visit(part, frame, inner)
    if inner.begin >= 0:
        begin = frame.text.precedes(inner.begin, r"\bif\s*\((?:\s|\(|\bnot\b|\bexists\b)*")
        if begin is not None:
            inner.widen(begin, frame.text.is_called(begin + len("if")) or inner.end)
            inner.functions.insert(0, "if")
    found.merge(inner)


def _condition(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    for part in frame.compare(node, frame):
        if part.operator is not Operator.TRUTH:
            frame.comparisons.append(part)
        if part.at.end:
            found.widen(*part.at)
        for item in part.operands:
            found.absorb(item)


def _tuple(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    inner = ExpressionInfo()
    children(node, frame, inner)
    if inner.begin >= 0:
        inner.widen(*frame.text.enclosing_bracket(inner.begin, inner.end, limit=1))
    found.merge(inner)


_INTERVAL = r"\binterval\s*(?:'[^']*'|\S+)(?:\s+(?:second|minute|hour|day|week|month|year)s?\b)?"


def _interval(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    inner = ExpressionInfo()
    children(node, frame, inner)
    written = frame.text.search(_INTERVAL, max(frame.cursor, inner.begin - 20))
    if written is not None:
        inner.widen(*written)
    found.merge(inner)


def _bracket(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    inner = ExpressionInfo()
    children(node, frame, inner)
    if inner.begin >= 0 and (end := frame.text.follows(inner.end, r"\]")) is not None:
        inner.widen(inner.begin, end)
    found.merge(inner)


def _negative(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    inner = ExpressionInfo()
    visit(node.this, frame, inner)
    if inner.begin >= 0 and (begin := frame.text.precedes(inner.begin, "-")) is not None:
        inner.widen(begin, inner.end)
    found.merge(inner)


def _division(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    inner = ExpressionInfo()
    own = frame.text.span(node)  # mod(a, b)
    if own is not None:
        inner.widen(*own)
    visit(node.this, frame, inner)
    divisor = read_operand(node.expression, frame)
    inner.absorb(divisor)
    if own is not None:
        inner.functions.insert(0, frame.text.author(*own).lower())
        inner.widen(inner.begin, frame.text.closing_end(inner.begin, inner.end))
    plain = divisor.sort is OperandKind.LITERAL and (divisor.value or "").strip("-0.")
    if not plain and inner.begin >= 0:
        frame.divisions.append(Division(Span(inner.begin, inner.end), divisor))
    found.merge(inner)


def _subquery(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    found.traits |= ExpressionFlag.QUERY
    blocks = frame.query(node, Role.SCALAR, frame)
    found.blocks += blocks
    if (span := frame.span_of(blocks)) is not None:
        found.widen(*frame.text.enclosing_bracket(*span))


_HANDLERS: dict[type[exp.Expr], Handler] = {
    exp.Column: visit_column,
    exp.Literal: visit_placed,
    exp.Star: visit_placed,
    exp.Identifier: visit_placed,
    exp.Null: _nothing,
    exp.Boolean: _nothing,
    exp.DataType: _nothing,
    exp.Dot: visit_dotted,
    exp.Case: _case,
    exp.If: _if,
    exp.Window: visit_window,
    exp.Bracket: _bracket,
    exp.Neg: _negative,
    exp.Tuple: _tuple,
    exp.Interval: _interval,
    exp.Div: _division,
    exp.Mod: _division,
    exp.IntDiv: _division,
    exp.Parameter: _outside,
    exp.SessionParameter: _outside,
    exp.Placeholder: _outside,
    exp.And: _condition,
    exp.Or: _condition,
    exp.Not: _condition,
    exp.RegexpLike: _condition,
    exp.RegexpILike: _condition,
}
_BASES: tuple[tuple[type[exp.Expr], Handler], ...] = (
    (exp.Query, _subquery),
    (exp.Cast, _cast),
    (exp.Predicate, _condition),
    (exp.Func, visit_call),
    (exp.Binary, _binary),
)
