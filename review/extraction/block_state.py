"""What is known while a block is read, and what has been found in an expression so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlglot import exp

from review.extraction.scopes import Scope
from review.extraction.source_text import Written
from review.facts import Call, Clause, Column, Division, Operand, Predicate, Role, Sort, Span, Window

NOWHERE = Span(0, 0)
"""The span of what has no known place."""


class Trait:
    """What an expression has in it, as bits."""

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
class Frame:
    """The block that is being read: what its expressions may refer to, and what was found in them.

    Attributes:
        clause: where the expression stands that is being read.
        query: reads a subquery in a role, and returns the indexes of its blocks.
        compare: reads a condition.
        span_of: returns from where to where blocks reach.
        visit: takes in an expression and all that is in it.
        aliases_seen: clauses in which names of the block's own outputs hold.
        windows_named: windows of the WINDOW clause by name in lower case.
        end: how far the block's text is known to reach.
        opened: where the names of functions begin that have been taken in.
        cursor: the end of the last expression that was read: what has no place of its own stands behind it.
    """

    text: Written
    scope: Scope
    query: Callable[[exp.Expr, Role, Frame], tuple[int, ...]]
    compare: Callable[[exp.Expr, Frame], list[Predicate]]
    span_of: Callable[[tuple[int, ...]], Span | None]
    visit: Callable[[exp.Expr, Frame, Found], None]
    clause: Clause = Clause.OUTPUT
    aliases_seen: frozenset[Clause] = frozenset()
    windows_named: dict[str, exp.Expr] = field(default_factory=dict)
    comparisons: list[Predicate] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    divisions: list[Division] = field(default_factory=list)
    opened: set[int] = field(default_factory=set)
    end: int = 0
    cursor: int = 0


class Found:
    """What was found in an expression so far."""

    __slots__ = ("begin", "blocks", "columns", "end", "functions", "traits")

    def __init__(self) -> None:
        self.begin = self.end = -1
        self.columns: list[Column] = []
        self.functions: list[str] = []
        self.blocks: tuple[int, ...] = ()
        self.traits = 0

    def widen(self, begin: int, end: int) -> None:
        """Take in that the expression reaches from `begin` to `end`."""
        if self.begin < 0 or begin < self.begin:
            self.begin = begin
        self.end = max(self.end, end)

    def merge(self, inner: Found) -> None:
        """Take in all that was found in a part of the expression."""
        if inner.begin >= 0:
            self.widen(inner.begin, inner.end)
        self.columns += inner.columns
        self.functions += inner.functions
        self.blocks += inner.blocks
        self.traits |= inner.traits

    def absorb(self, part: Operand) -> None:
        """Take in an operand that is part of the expression."""
        if part.at.end:
            self.widen(part.at.begin, part.at.end)
        self.columns += part.columns
        self.functions += part.functions
        self.blocks += part.blocks
        self.traits |= _TRAITS.get(part.sort, 0)


_TRAITS = {
    Sort.PARAMETER: Trait.PARAMETER,
    Sort.MAX_PT: Trait.MAX_PT,
    Sort.RUN_TIME: Trait.RUN_TIME,
    Sort.UNKNOWN_CALL: Trait.UNKNOWN_CALL,
    Sort.QUERY: Trait.QUERY,
}
