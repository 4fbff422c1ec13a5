"""Expressions: the columns, literals and calls that predicates compare and blocks give out."""

from enum import StrEnum

from review.facts.base import fact
from review.facts.spans import Span


class Sort(StrEnum):
    """What kind of expression an operand is."""

    COLUMN = "column"
    """A bare column."""
    LITERAL = "literal"
    """A number or string; one whose string holds a scheduling parameter is a PARAMETER."""
    PARAMETER = "parameter"
    """A scheduling parameter, alone or within a string or name."""
    CONSTANT = "constant"
    """An expression without columns: literals, parameters, deterministic built-in functions, casts."""
    MAX_PT = "max_pt"
    """A call of MAX_PT, alone or within an expression without columns."""
    RUN_TIME = "run_time"
    """Without columns, but its value depends on when or where it runs: GETDATE(), NOW(), RAND(), UUID()."""
    UNKNOWN_CALL = "unknown_call"
    """Without columns, but it calls a function that is no built-in (a UDF): nothing is known of its value."""
    COMPUTED = "computed"
    """An expression over columns: a function, a cast, arithmetic, a CASE."""
    QUERY = "query"
    """A subquery."""
    NULL = "null"
    """NULL."""


@fact(frozen=True, slots=True)
class Column:
    """A column where it is used.

    Attributes:
        at: its whole text, qualifier included.
        name: its own name.
        qualifier: the alias or table before the dot; empty when there is none.
        block: index (in the statement) of the block whose source it belongs to; None when that is not known.
        source: index of that source in that block's `sources`; None when it is not known.
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
    """One side of a predicate, or any expression that a rule looks at.

    Attributes:
        sort: what kind of expression it is.
        value: a literal's value without quotes, also of a literal that is cast (its sort is CONSTANT then); a
            PARAMETER's text as written, without quotes.
        string: whether the literal (or the parameter) stands in quotes.
        type: the type that a cast or the literal gives it (`STRING`, `BIGINT`, `DATE` …), when it says one.
        columns: the columns in it, those of its subqueries left out.
        functions: names of the functions it calls, in lower case, those of its subqueries left out.
        blocks: indexes of the blocks whose rows its subquery gives (several for a UNION).
    """

    at: Span
    sort: Sort
    value: str | None = None
    string: bool = False
    type: str | None = None
    columns: tuple[Column, ...] = ()
    functions: tuple[str, ...] = ()
    blocks: tuple[int, ...] = ()
