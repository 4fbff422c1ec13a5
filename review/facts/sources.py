"""The row sources of a block."""

from collections.abc import Iterable
from dataclasses import field
from enum import StrEnum

from review.facts.base import Span, fact
from review.facts.operands import Operand
from review.facts.partitions import PartitionValue


class JoinKind(StrEnum):
    """How a row source is joined to its block."""

    FIRST = "first"
    COMMA = "comma"
    CROSS = "cross"
    INNER = "inner"
    LEFT = "left"
    RIGHT = "right"
    FULL = "full"
    SEMI = "semi"
    ANTI = "anti"
    LATERAL = "lateral"
    """LATERAL VIEW or a lateral function: rows produced from the source's own row."""


@fact(frozen=True, slots=True)
class PivotedColumn:
    """A column that a PIVOT or UNPIVOT makes.

    Attributes:
        name: in lower case.
        origins: the columns, in lower case, of which its values are made.
        spellings: other names, in lower case, that an engine or one of its settings gives to it.
    """

    name: str
    origins: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()


@fact(frozen=True, slots=True)
class Pivot:
    """A PIVOT or UNPIVOT of a row source: it replaces some columns by others, and keeps the rest.

    Attributes:
        replaced: the columns that it replaces, in lower case.
        made: the columns that it makes, in order.
        is_complete: whether `made` is all of them; the name of a column made for an expression is unknown.
    """

    replaced: frozenset[str]
    made: tuple[PivotedColumn, ...]
    is_complete: bool = True
    _origins: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def origins(self, name: str) -> tuple[str, ...]:
        """Return the columns from which it makes `name` (in lower case); `name` itself if it is kept."""
        if not self._origins:
            for column in self.made:
                for known in (column.name, *column.spellings):
                    self._origins.setdefault(known, column.origins)
        return self._origins.get(name, (name,))

    def columns(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the names of the columns after it, in order, of those before it, in lower case."""
        kept = (name for name in names if name not in self.replaced)
        return (*kept, *(column.name for column in self.made))


@fact(frozen=True, slots=True)
class Source:
    """A row source of a block.

    Attributes:
        at: its name, or its whole subquery.
        join_kind: how it is joined.
        table: the name of its database table, as written; empty for a CTE, subquery, VALUES or function.
        alias: the qualifier of its columns: its alias, or the last part of its name.
        has_alias: whether the author gave it an alias.
        blocks: indexes of the blocks that produce the rows of its CTE or subquery (several for a UNION).
        cte: the CTE (or script variable `@v`) that it names; empty if it names none.
        nullable: whether an outer join may fill its columns with NULL.
        natural: whether it is joined by USING or NATURAL.
        using: the columns of USING.
        columns: column names given by its alias (`t(a, b)`, LATERAL VIEW … AS a, b).
        partitions: values of a `PARTITION(…)` after the table.
        target: whether it is the table that an UPDATE, DELETE or MERGE changes.
        arguments: what the rows of a function, VALUES or UNNEST are made of.
        pivots: what PIVOT and UNPIVOT make of its columns, one after the other; its alias comes after them.
    """

    at: Span
    join_kind: JoinKind
    table: str = ""
    alias: str = ""
    has_alias: bool = False
    blocks: tuple[int, ...] = ()
    cte: str = ""
    nullable: bool = False
    natural: bool = False
    using: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    partitions: tuple[PartitionValue, ...] = ()
    target: bool = False
    arguments: tuple[Operand, ...] = ()
    pivots: tuple[Pivot, ...] = ()

    def origins(self, name: str) -> tuple[str, ...]:
        """Return the columns before all pivots from which the column `name`, in lower case, is made."""
        names: tuple[str, ...] = (name,)
        for pivot in reversed(self.pivots):
            names = tuple(dict.fromkeys(origin for name in names for origin in pivot.origins(name)))
        return names

    def pivoted(self, names: Iterable[str]) -> tuple[str, ...] | None:
        """Return the columns after all pivots of the columns before them; None if not all are known."""
        columns = tuple(names)
        for pivot in self.pivots:
            if not pivot.is_complete:
                return None
            columns = pivot.columns(columns)
        return columns
