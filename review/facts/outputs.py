"""What a block computes: its outputs, calls, window functions and divisions."""

from review.facts.base import Span, fact
from review.facts.operands import Operand
from review.facts.predicates import Clause


@fact(frozen=True, slots=True)
class Output:
    """One output expression of a block.

    Attributes:
        name: its alias, or the column's own name; empty without one.
        star: whether it is `*` or `t.*`; `operand.columns` is then empty.
        qualifier: for a star, the name before the dot.
        aggregate: whether it contains an aggregate function (outside OVER).
        pattern: whether it is a star written as a pattern for names: `(ds)?+.+`.
    """

    at: Span
    name: str
    operand: Operand
    star: bool = False
    qualifier: str = ""
    aggregate: bool = False
    pattern: bool = False


@fact(frozen=True, slots=True)
class Call:
    """A function call.

    Attributes:
        name: in lower case, with its project if it has one (`proj:func`).
        clause: the clause it occurs in.
        arguments: its arguments.
        distinct: whether its argument is DISTINCT.
    """

    at: Span
    name: str
    clause: Clause
    arguments: tuple[Operand, ...] = ()
    distinct: bool = False


@fact(frozen=True, slots=True)
class WindowCall:
    """A function with OVER.

    Attributes:
        function: its name in lower case.
        partition: operands of PARTITION BY.
        order: operands of ORDER BY.
    """

    at: Span
    function: str
    partition: tuple[Operand, ...] = ()
    order: tuple[Operand, ...] = ()


@fact(frozen=True, slots=True)
class Division:
    """A division (`/`, `%`, DIV) by something that is not a plain number."""

    at: Span
    divisor: Operand
