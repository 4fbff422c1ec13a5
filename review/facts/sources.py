"""The row sources of a block."""

from enum import StrEnum

from review.facts.base import Span, fact
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
