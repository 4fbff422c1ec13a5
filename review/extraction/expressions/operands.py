"""Reads expressions as operands: the kind of each, and the columns and calls in it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from review.extraction.block_state import NO_SPAN, BlockState, ExpressionFlag, ExpressionInfo
from review.extraction.expressions.columns import plain_column
from review.extraction.expressions.types import literal_type, written_type
from review.extraction.source_text import span_of
from review.facts import Operand, OperandKind, Span


def read_operand(node: exp.Expr, frame: BlockState) -> Operand:
    """Read an expression. If no part of it has a known position, its span is (0, 0)."""
    return read(node, frame)[0]


def output_operand(node: exp.Expr, frame: BlockState) -> tuple[Operand, bool]:
    """Read an output expression of a block; also return whether it contains an aggregate function."""
    made, traits = read(node, frame)
    return made, bool(traits & ExpressionFlag.AGGREGATE)


def read(node: exp.Expr, frame: BlockState) -> tuple[Operand, int]:
    """Read an expression; also return its traits."""
    kind = type(node)
    # Fast path: most expressions are a column or a literal.
    if kind is exp.Column and (column := plain_column(node, frame)) is not None:
        frame.cursor = column.at[1]
        return Operand(column.at, OperandKind.COLUMN, columns=(column,)), 0
    if kind is exp.Literal and (literal := _plain_literal(node, frame)) is not None:
        frame.cursor = literal.at[1]
        return literal, 0
    return _read_any(node, frame)


def _plain_literal(node: exp.Expr, frame: BlockState) -> Operand | None:
    args, text = node.args, frame.text
    if (span := text.span(node)) is None or text.has_parameter(span[0], span[1]):
        return None
    value: str = args["this"]
    if args["is_string"]:
        return Operand(span, OperandKind.LITERAL, value, True, "STRING")
    return Operand(span, OperandKind.LITERAL, value, False, "BIGINT" if value.isdigit() else "DOUBLE")


def _read_any(node: exp.Expr, frame: BlockState) -> tuple[Operand, int]:
    found = ExpressionInfo()
    frame.visit(node, frame, found)
    core = _core(node)
    if found.begin >= 0:
        frame.cursor = found.end = frame.text.closing_end(found.begin, found.end)
    span = Span(found.begin, found.end) if found.begin >= 0 else NO_SPAN
    if core is not node and isinstance(node, exp.Paren) and span is not NO_SPAN:
        span = Span(*frame.text.enclosing_bracket(*span)) if type(core) is not exp.Subquery else span
    sort = _kind_of(core, found)
    value, string = _value(core, sort, frame)
    made = Operand(
        span,
        sort,
        value,
        string,
        _type(core, sort),
        tuple(found.columns),
        tuple(found.functions),
        found.blocks,
    )
    return made, found.traits


def _core(node: exp.Expr) -> exp.Expr:
    while True:
        if isinstance(node, (exp.Paren, exp.Alias)) or _synthetic(node):
            node = node.this
        else:
            return node


def _synthetic(node: exp.Expr) -> bool:
    """Whether the parser, not the author, added the function around its argument."""
    return (
        isinstance(node, exp.Func)
        and span_of(node) is None
        and not isinstance(node, _WRITTEN_TYPES)
        and type(node) not in KEYWORDS
        and isinstance(node.args.get("this"), exp.Expr)
        and sum(value is not None and value is not False and value != [] for value in node.args.values()) == 1
    )


def _kind_of(core: exp.Expr, found: ExpressionInfo) -> OperandKind:
    kind, traits = type(core), found.traits
    if found.columns:
        bare = kind is exp.Column and len(found.columns) == 1
        return (
            OperandKind.COLUMN
            if bare and found.columns[0].at == (found.begin, found.end)
            else OperandKind.COMPUTED
        )
    for trait, sort in _BY_TRAIT:
        if traits & trait:
            return sort
    if kind is exp.Null:
        return OperandKind.NULL
    literal = _literal(core) is not None
    if traits & ExpressionFlag.PARAMETER and (literal or kind is exp.Column or kind in _OUTSIDE):
        return OperandKind.PARAMETER
    return OperandKind.LITERAL if literal else OperandKind.CONSTANT


_BY_TRAIT = (
    (ExpressionFlag.ROWS | ExpressionFlag.AGGREGATE, OperandKind.COMPUTED),
    (ExpressionFlag.QUERY, OperandKind.QUERY),
    (ExpressionFlag.UNKNOWN_CALL, OperandKind.UNKNOWN_CALL),
    (ExpressionFlag.RUN_TIME, OperandKind.RUN_TIME),
    (ExpressionFlag.MAX_PT, OperandKind.MAX_PT),
)
_WRITTEN_TYPES = (exp.Binary, exp.Cast, exp.Case, exp.If)
_OUTSIDE = frozenset({exp.Identifier, exp.Parameter, exp.SessionParameter, exp.Placeholder, exp.Var})


def _literal(core: exp.Expr) -> exp.Expr | None:
    """Return the literal that an expression consists of: plain, signed, or after the name of its type."""
    if isinstance(core, (exp.Literal, exp.Boolean, exp.National)):
        return core
    if isinstance(core, exp.Neg) and isinstance(core.this, exp.Literal):
        return core.this
    if type(core) is exp.Cast and isinstance(core.this, exp.Literal) and "typed" in core.this.meta:
        return core.this
    return None


def _value(core: exp.Expr, sort: OperandKind, frame: BlockState) -> tuple[str | None, bool]:
    node = core
    if isinstance(core, exp.Cast) and isinstance(core.this, exp.Literal):
        node = core.this
    literal = _literal(node)
    if literal is None:
        if sort is OperandKind.PARAMETER:
            return _written(core, frame), False
        return None, False
    if isinstance(literal, exp.Boolean):
        return str(bool(literal.this)).lower(), False
    string = not isinstance(literal, exp.Literal) or bool(literal.is_string)
    span = frame.text.span(literal)
    if span is not None and frame.text.has_parameter(*span):
        text = frame.text.author(*span)
        return (text[1:-1] if string else text), string
    return ("-" if isinstance(node, exp.Neg) else "") + str(literal.this), string


def _written(core: exp.Expr, frame: BlockState) -> str | None:
    parts = core.parts if isinstance(core, exp.Column) else [core]
    spans = [span for part in parts if (span := frame.text.span(part)) is not None]
    if not spans:
        return None
    return frame.text.author(min(spans)[0], max(span.end for span in spans))


def _type(core: exp.Expr, sort: OperandKind) -> str | None:
    if isinstance(core, exp.Cast):
        return written_type(core.args.get("to"))
    literal = _literal(core)
    if literal is not None and (
        sort is OperandKind.LITERAL or (isinstance(literal, exp.Literal) and literal.is_string)
    ):
        return literal_type(literal)
    return None


def parts(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the parts of an expression, except types and names."""
    for value in node.args.values():
        if isinstance(value, list):
            for item in value:
                if isinstance(item, exp.Expr) and type(item) not in _NO_EXPRESSION:
                    yield item
        elif isinstance(value, exp.Expr) and type(value) not in _NO_EXPRESSION:
            yield value


def children(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    """Add the facts of all parts of an expression to `found`."""
    for child in parts(node):
        frame.visit(child, frame, found)


def visit_placed(node: exp.Expr, frame: BlockState, found: ExpressionInfo) -> None:
    """Add a word that has a position: its span, and whether it contains a parameter."""
    span = frame.text.span(node)
    if span is not None:
        found.widen(*span)
        if frame.text.has_parameter(*span):
            found.traits |= ExpressionFlag.PARAMETER


KEYWORDS: dict[type[exp.Expr], str] = {
    exp.CurrentDate: "current_date",
    exp.CurrentTimestamp: "current_timestamp",
    exp.CurrentTime: "current_time",
    exp.CurrentDatetime: "current_datetime",
    exp.CurrentUser: "current_user",
    exp.Localtime: "localtime",
    exp.Localtimestamp: "localtimestamp",
}
"""Functions that may be called without parentheses."""
_NO_EXPRESSION = frozenset({exp.DataType, exp.TableAlias, exp.Var, exp.WindowSpec, exp.IntervalSpan})
