"""Conditions."""

from __future__ import annotations

from enum import StrEnum

from review.facts.base import Span, fact
from review.facts.operands import Column, Operand


class Operator(StrEnum):
    """The comparison of a predicate."""

    EQ = "="
    NULL_SAFE_EQ = "<=>"
    NE = "<>"
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    BETWEEN = "between"
    IN = "in"
    NOT_IN = "not in"
    LIKE = "like"
    """LIKE, ILIKE or RLIKE."""
    NOT_LIKE = "not like"
    IS_NULL = "is null"
    IS_NOT_NULL = "is not null"
    EXISTS = "exists"
    NOT_EXISTS = "not exists"
    ANY_OF = "or"
    """Alternatives: see `Predicate.alternatives`."""
    NOT = "not"
    """A negation of something not listed here; its operand is `left`."""
    TRUTH = "truth"
    """A bare expression used as a condition: a column, a function call, TRUE, a parameter."""


class Clause(StrEnum):
    """The part of a block in which something occurs."""

    WHERE = "where"
    ON = "on"
    HAVING = "having"
    QUALIFY = "qualify"
    OUTPUT = "output"
    GROUP = "group"
    ORDER = "order"
    """ORDER BY, SORT BY, DISTRIBUTE BY, CLUSTER BY of the block itself."""
    SOURCE = "source"
    """Among the row sources: LATERAL VIEW, TABLE(…), VALUES."""
    WINDOW = "window"


@fact(frozen=True, slots=True)
class Predicate:
    """One condition; those of a block are joined by AND.

    Attributes:
        at: the whole condition, from its first to its last operand.
        left: the compared operand; for ANY_OF the first operand of the first alternative.
        rights: the other operands: one, two for BETWEEN, any number for IN, none for tests and ANY_OF.
        clause: the clause it occurs in.
        join: for ON: index of the source that the join adds. A JOIN without ON, or with ON TRUE, has no
            condition.
        alternatives: for ANY_OF: the branches of the OR, each a list of conditions joined by AND.
    """

    at: Span
    operator: Operator
    left: Operand
    rights: tuple[Operand, ...] = ()
    clause: Clause = Clause.WHERE
    join: int | None = None
    alternatives: tuple[tuple[Predicate, ...], ...] = ()

    @property
    def operands(self) -> tuple[Operand, ...]:
        """Both sides; for ANY_OF those of every branch."""
        if self.operator is Operator.ANY_OF:
            return tuple(
                operand for branch in self.alternatives for part in branch for operand in part.operands
            )
        return (self.left, *self.rights)

    @property
    def columns(self) -> tuple[Column, ...]:
        """All its columns, without those of subqueries."""
        return tuple(column for operand in self.operands for column in operand.columns)
