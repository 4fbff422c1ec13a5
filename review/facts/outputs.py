"""What a block computes: its outputs, calls, window functions and divisions."""

from review.facts.base import Span, fact
from review.facts.operands import Operand
from review.facts.predicates import Clause


@fact(frozen=True, slots=True)
class StarChanges:
    """What a star, or a pattern, selects instead of every column; all names are in lower case.

    Attributes:
        excluded: columns that it leaves out (EXCEPT).
        replaced: columns that it computes instead (REPLACE), each with the expression.
        renamed: columns with their new names (RENAME).
        prefix: how the names begin that a pattern selects.
        suffix: how they end.
        is_known: whether this is all; not for other patterns, or a function applied to each column.
    """

    excluded: frozenset[str] = frozenset()
    replaced: tuple[tuple[str, Operand], ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    prefix: str = ""
    suffix: str = ""
    is_known: bool = True

    def selects(self, name: str) -> bool:
        """Whether it selects the column `name`, in lower case."""
        fits = name.startswith(self.prefix) and name.endswith(self.suffix)
        return fits and name not in self.excluded and len(name) >= len(self.prefix) + len(self.suffix)


EVERY_COLUMN = StarChanges()


@fact(frozen=True, slots=True)
class Output:
    """One output expression of a block.

    Attributes:
        name: its alias, or the column's own name; empty without one.
        star: whether it is `*` or `t.*`; `operand.columns` is then empty.
        qualifier: for a star, the name before the dot; for an assignment (`SET t.a = …`), that of its target.
        aggregate: whether it contains an aggregate function (outside OVER).
        pattern: whether it is a star written as a pattern for names: `(ds)?+.+`.
        changes: for a star, what it selects instead of every column.
    """

    at: Span
    name: str
    operand: Operand
    star: bool = False
    qualifier: str = ""
    aggregate: bool = False
    pattern: bool = False
    changes: StarChanges = EVERY_COLUMN


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
