"""Reads function calls and window functions (OVER)."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from review.builtin_functions import AGGREGATES, BUILT_IN, MAX_PT, RUN_TIME, RUN_TIME_WITHOUT_ARGUMENTS
from review.extraction.block_state import BlockState, ExpressionFlag, ExpressionInfo
from review.extraction.expressions.operands import KEYWORDS, parts, read, read_operand, visit_placed
from review.facts import Call, Clause, Operand, OperandKind, Span, WindowCall


def visit_call(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    """Read a function call; a call that only the parser added (not the author) is ignored."""
    own = frame.text.span(node) or _word(node, frame)
    inner = ExpressionInfo()
    arguments: list[Operand] = []
    distinct = False
    if own is not None:
        frame.opened.add(own[0])
    # The arguments of an empty call were added by the parser.
    if own is None or not frame.text.is_empty_call(own[1]):
        arguments, distinct = _arguments(node, frame, inner)
    if own is None and inner.begin >= 0:
        own = frame.text.opener(inner.begin)
        if own is None or own[0] in frame.opened:
            found.merge(inner)
            return
        frame.opened.add(own[0])
    if own is None:
        return
    name = frame.text.author(own[0], own[1]).strip('`"').lower()
    inner.widen(own[0], frame.text.is_called(own[1]) or max(own[1], inner.end))
    frame.calls.append(Call(Span(inner.begin, inner.end), name, frame.clause, tuple(arguments), distinct))
    inner.functions.insert(0, name)
    inner.traits |= _traits(node, name, arguments)
    found.merge(inner)


def _word(node: exp.Expr, frame: BlockState) -> Span | None:
    """Return the span of a function called without parentheses, which the parser does not record."""
    word = KEYWORDS.get(type(node))
    return None if word is None or node.args else frame.text.search(rf"\b{word}\b", frame.cursor)


def _arguments(node: exp.Expr, frame: BlockState, inner: ExpressionInfo) -> tuple[list[Operand], bool]:
    arguments: list[Operand] = []
    distinct = False
    for child in parts(node):
        listed = [child]
        if isinstance(child, exp.Distinct):
            distinct, listed = True, child.expressions
        for part in listed:
            if isinstance(part, exp.Star):
                visit_placed(part, frame, inner)
                inner.traits |= ExpressionFlag.ROWS
                continue
            made, traits = read(part, frame)
            inner.traits |= traits & (ExpressionFlag.AGGREGATE | ExpressionFlag.ROWS)
            inner.absorb(made)
            if made.at.end or made.sort is OperandKind.NULL or isinstance(part, exp.Boolean):
                arguments.append(made)
    if all(argument.at.end for argument in arguments):
        arguments.sort(key=lambda argument: argument.at.begin)
    return arguments, distinct


def _traits(node: exp.Expr, name: str, arguments: list[Operand]) -> int:
    if name == MAX_PT:
        return ExpressionFlag.MAX_PT
    if name in RUN_TIME or (name in RUN_TIME_WITHOUT_ARGUMENTS and not arguments):
        return ExpressionFlag.RUN_TIME
    if name in AGGREGATES or isinstance(node, exp.AggFunc):
        return ExpressionFlag.AGGREGATE
    if isinstance(node, exp.Anonymous) and name not in BUILT_IN:
        return ExpressionFlag.UNKNOWN_CALL
    return ExpressionFlag.NONE


def visit_dotted(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    """Read a field (`a.b`), or a function of another project (`proj.f(…)`, `proj:f(…)`)."""
    function = node.args.get("expression")
    if not isinstance(function, exp.Func):
        frame.visit(node.this, frame, found)
        if isinstance(function, exp.Expr) and (span := frame.text.span(function)):
            found.widen(*span)
        return
    # project.function(…)
    before = len(frame.calls)
    inner = ExpressionInfo()
    frame.visit(function, frame, inner)
    owner = frame.text.name(node.this) if isinstance(node.this, exp.Identifier) else node.this.sql()
    begin = frame.text.span(node.this)
    if begin is not None:
        inner.widen(*begin)
    if len(frame.calls) > before and inner.functions:
        last = frame.calls[-1]
        inner.functions[0] = f"{owner}:{last.name}".lower()
        frame.calls[-1] = Call(
            Span(inner.begin, inner.end), inner.functions[0], last.clause, last.arguments, last.distinct
        )
    inner.traits |= ExpressionFlag.UNKNOWN_CALL
    found.merge(inner)


def visit_window(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    """Read a function with OVER."""
    inner = ExpressionInfo()
    frame.visit(node.this, frame, inner)
    inner.traits = inner.traits & ~ExpressionFlag.AGGREGATE | ExpressionFlag.ROWS
    function = inner.functions[0] if inner.functions else ""
    if (over := frame.text.follows(inner.end, _OVER)) is not None and inner.begin >= 0:
        inner.widen(inner.begin, frame.text.is_called(over) or frame.text.follows(over, r"\w+") or over)
    holder = node
    if not node.args.get("partition_by") and isinstance(alias := node.args.get("alias"), exp.Expr):
        holder = frame.windows_named.get(alias.name.lower(), node)
    clause, frame.clause = frame.clause, Clause.WINDOW
    partition = tuple(read_operand(part, frame) for part in holder.args.get("partition_by") or ())
    order = tuple(read_operand(part, frame) for part in _keys(holder.args.get("order")))
    frame.clause = clause
    for part in (*partition, *order):
        inner.columns += part.columns
        inner.functions += part.functions
        inner.blocks += part.blocks
    frame.windows.append(WindowCall(Span(max(inner.begin, 0), max(inner.end, 0)), function, partition, order))
    found.merge(inner)


_OVER = r"(?:(?:ignore|respect)\s+nulls\s+)?over\b"


def _keys(order: exp.Expr | None) -> Iterator[exp.Expr]:
    for part in order.expressions if isinstance(order, exp.Expr) else ():
        yield part.this if isinstance(part, exp.Ordered) else part
