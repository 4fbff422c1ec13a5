"""Expressions: the columns, literals and calls that are compared in predicates and output by blocks."""

from enum import StrEnum

from review.facts.base import Span, fact


class OperandKind(StrEnum):
    """The kind of expression of an operand."""

    COLUMN = "column"
    """A bare column."""
    LITERAL = "literal"
    """A number or string; a string that contains a scheduling parameter is a PARAMETER."""
    PARAMETER = "parameter"
    """A scheduling parameter, alone or within a string or name."""
    CONSTANT = "constant"
    """An expression without columns: literals, parameters, deterministic built-in functions, casts."""
    MAX_PT = "max_pt"
    """A call of MAX_PT, alone or within an expression without columns."""
    RUN_TIME = "run_time"
    """Without columns, but its value depends on when or where it runs: GETDATE(), NOW(), RAND(), UUID()."""
    UNKNOWN_CALL = "unknown_call"
    """Without columns, but calls a function that is not built in (a UDF), so its value is unknown."""
    COMPUTED = "computed"
    """An expression over columns: a function, a cast, arithmetic, a CASE."""
    QUERY = "query"
    """A subquery."""
    NULL = "null"
    """NULL."""


@fact(frozen=True, slots=True)
class Column:
    """A reference to a column.

    Attributes:
        at: its whole text, with its qualifier.
        name: its own name.
        qualifier: the alias or table before the dot; empty without one.
        block: index (in the statement) of the block whose source it belongs to; None if unknown.
        source: index of that source in that block's `sources`; None if unknown.
    """

    at: Span
    name: str
    qualifier: str = ""
    block: int | None = None
    source: int | None = None

    @property
    def key(self) -> str:
        """Its name in lower case."""
        return self.name.lower()


@fact(frozen=True, slots=True)
class Operand:
    """One side of a predicate, or any expression that a rule inspects.

    Attributes:
        sort: the kind of expression.
        value: a literal's value without quotes, also of a literal that is cast (then its sort is CONSTANT); a
            PARAMETER's text as written, without quotes.
        string: whether the literal (or the parameter) is quoted.
        type: the type of the cast or literal (`STRING`, `BIGINT`, `DATE` …), if known.
        columns: its columns, without those of its subqueries.
        functions: names of the functions it calls, in lower case, without those of its subqueries.
        blocks: indexes of the blocks that produce the rows of its subquery (several for a UNION).
    """

    at: Span
    sort: OperandKind
    value: str | None = None
    string: bool = False
    type: str | None = None
    columns: tuple[Column, ...] = ()
    functions: tuple[str, ...] = ()
    blocks: tuple[int, ...] = ()
