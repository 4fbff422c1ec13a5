"""State kept while a block is read, and the facts collected from an expression so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlglot import exp

from review.extraction.scopes import QueryScope
from review.extraction.source_text import SourceText
from review.facts import (
    Call,
    Clause,
    Column,
    Division,
    Operand,
    OperandKind,
    Predicate,
    Role,
    Span,
    WindowCall,
)

NO_SPAN = Span(0, 0)
"""The span of a node whose position is unknown."""


class ExpressionFlag:
    """Properties of an expression, as bits."""

    NONE = 0
    PARAMETER = 1
    MAX_PT = 2
    RUN_TIME = 4
    UNKNOWN_CALL = 8
    QUERY = 16
    AGGREGATE = 32
    ROWS = 64
    """Its value depends on the rows although it names no column: COUNT(*), ROW_NUMBER()."""


@dataclass(slots=True)
class BlockState:
    """The block that is being read: what its expressions may refer to, and the facts found in them.

    Attributes:
        clause: the clause of the expression that is being read.
        query: reads a subquery in a role, and returns the indexes of its blocks.
        compare: reads a condition.
        span_of: returns the span that blocks cover.
        visit: reads an expression and all its parts.
        aliases_seen: clauses in which the aliases of the block's own outputs are visible.
        windows_named: windows of the WINDOW clause by name in lower case.
        constants: names in lower case that WITH gives to expressions (ClickHouse: `WITH 5 AS n`).
        end: the last known offset of the block's text.
        opened: start offsets of the function names that have been read.
        cursor: the end of the last expression that was read; nodes without a recorded position come after it.
    """

    text: SourceText
    scope: QueryScope
    query: Callable[[exp.Expr, Role, BlockState], tuple[int, ...]]
    compare: Callable[[exp.Expr, BlockState], list[Predicate]]
    span_of: Callable[[tuple[int, ...]], Span | None]
    visit: Callable[[exp.Expr, BlockState, ExpressionInfo], None]
    clause: Clause = Clause.OUTPUT
    aliases_seen: frozenset[Clause] = frozenset()
    windows_named: dict[str, exp.Expr] = field(default_factory=dict)
    constants: frozenset[str] = frozenset()
    comparisons: list[Predicate] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    windows: list[WindowCall] = field(default_factory=list)
    divisions: list[Division] = field(default_factory=list)
    opened: set[int] = field(default_factory=set)
    end: int = 0
    cursor: int = 0


class ExpressionInfo:
    """The facts collected from an expression so far."""

    __slots__ = ("begin", "blocks", "columns", "end", "functions", "traits")

    def __init__(self) -> None:
        self.begin = self.end = -1
        self.columns: list[Column] = []
        self.functions: list[str] = []
        self.blocks: tuple[int, ...] = ()
        self.traits = 0

    def widen(self, begin: int, end: int) -> None:
        """Extend the expression's span to include `begin` to `end`."""
        if self.begin < 0 or begin < self.begin:
            self.begin = begin
        self.end = max(self.end, end)

    def merge(self, inner: ExpressionInfo) -> None:
        """Add all facts of a part of the expression."""
        if inner.begin >= 0:
            self.widen(inner.begin, inner.end)
        self.columns += inner.columns
        self.functions += inner.functions
        self.blocks += inner.blocks
        self.traits |= inner.traits

    def absorb(self, part: Operand) -> None:
        """Add the facts of an operand that is part of the expression."""
        if part.at.end:
            self.widen(part.at.begin, part.at.end)
        self.columns += part.columns
        self.functions += part.functions
        self.blocks += part.blocks
        self.traits |= _TRAITS.get(part.sort, 0)


_TRAITS = {
    OperandKind.PARAMETER: ExpressionFlag.PARAMETER,
    OperandKind.MAX_PT: ExpressionFlag.MAX_PT,
    OperandKind.RUN_TIME: ExpressionFlag.RUN_TIME,
    OperandKind.UNKNOWN_CALL: ExpressionFlag.UNKNOWN_CALL,
    OperandKind.QUERY: ExpressionFlag.QUERY,
}
