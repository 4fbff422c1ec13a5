"""Queries: a block is one SELECT; unions and CTEs refer to blocks by index."""

from enum import StrEnum

from review.facts.base import Span, fact
from review.facts.operands import Operand
from review.facts.outputs import Call, Division, Output, WindowCall
from review.facts.predicates import Predicate
from review.facts.sources import Source


class Role(StrEnum):
    """The use of a block's rows."""

    RESULT = "result"
    """The statement writes or returns them."""
    CTE = "cte"
    DERIVED = "derived"
    """A subquery in FROM."""
    EXISTS = "exists"
    IN = "in"
    SCALAR = "scalar"
    CHANGE = "change"
    """Not a SELECT: the rows found by an UPDATE, DELETE or MERGE; one of its sources is the target."""


@fact(frozen=True, slots=True)
class Hint:
    """A hint (`/*+ mapjoin(a, b) */`): its name in lower case, and the aliases it names, as written."""

    at: Span
    name: str
    aliases: tuple[str, ...] = ()


@fact(frozen=True, slots=True)
class Block:
    """One SELECT.

    Attributes:
        at: from its SELECT keyword (or its first known character) to its last known character.
        role: the use of its rows; a branch of a UNION has the role of the UNION.
        parent: index of the enclosing block (for a CTE: the block that contains its query); None at the top.
        depth: number of enclosing blocks; 0 at the top.
        sources: in text order.
        predicates: conditions of WHERE, ON, HAVING and QUALIFY, joined by AND.
        comparisons: comparisons elsewhere (in outputs, CASE, IF), not joined by AND.
        group: operands of GROUP BY; empty without one.
        grouped: whether there is a GROUP BY.
        order: ORDER BY of the block itself (not SORT BY); None without one.
        sorted: whether there is a SORT BY, DISTRIBUTE BY or CLUSTER BY.
        limit: the number of LIMIT; 0 if it is not a plain number; None without LIMIT.
        hints: hint names with their arguments: ("mapjoin", ("b",)).
    """

    at: Span
    role: Role
    parent: int | None = None
    depth: int = 0
    sources: tuple[Source, ...] = ()
    predicates: tuple[Predicate, ...] = ()
    comparisons: tuple[Predicate, ...] = ()
    outputs: tuple[Output, ...] = ()
    calls: tuple[Call, ...] = ()
    windows: tuple[WindowCall, ...] = ()
    divisions: tuple[Division, ...] = ()
    group: tuple[Operand, ...] = ()
    grouped: bool = False
    distinct: Span | None = None
    order: Span | None = None
    sorted: bool = False
    limit: int | None = None
    hints: tuple[Hint, ...] = ()

    @property
    def aggregated(self) -> bool:
        """Whether it returns one row: an aggregate in its outputs and no GROUP BY."""
        return not self.grouped and any(output.aggregate for output in self.outputs)


@fact(frozen=True, slots=True)
class Union:
    """A set operation.

    Attributes:
        at: the keyword, or the position between its branches.
        kind: `union`, `intersect` or `except`.
        distinct: whether duplicate rows are removed.
        blocks: indexes of the blocks of its branches.
        order: ORDER BY of all its rows; None without one.
        limit: as in `Block`.
    """

    at: Span
    kind: str
    distinct: bool
    blocks: tuple[int, ...] = ()
    order: Span | None = None
    limit: int | None = None


@fact(frozen=True, slots=True)
class CTE:
    """A common table expression, or a variable of script mode (`@v := SELECT …`).

    The blocks of a variable appear, like those of a CTE, in each statement that reads it, with their own
    positions in the script; the statement that defines it then has none.

    Attributes:
        uses: number of times that the statement reads it.
    """

    at: Span
    name: str
    blocks: tuple[int, ...] = ()
    uses: int = 0
