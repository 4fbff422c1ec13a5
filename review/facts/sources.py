"""What a block takes rows from."""

from enum import StrEnum

from review.facts.base import fact
from review.facts.partitions import PartitionValue
from review.facts.spans import Span


class Joined(StrEnum):
    """How a row source comes into its block."""

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
    """LATERAL VIEW or a lateral function: rows made of the source's own row."""


@fact(frozen=True, slots=True)
class Source:
    """Something a block takes rows from.

    Attributes:
        at: its name, or its whole subquery.
        joined: how it comes in.
        table: the database's table it names, as written; empty for a CTE, subquery, VALUES or function.
        alias: the name that its columns are called by: its alias, or the last part of its name.
        has_alias: whether the author gave it an alias.
        blocks: indexes of the blocks whose rows it gives: of the CTE or subquery (several for a UNION).
        cte: the CTE (or script variable `@v`) it names; empty when it names none.
        nullable: whether an outer join may fill its columns with NULL.
        natural: whether USING or NATURAL links it.
        using: the columns of USING.
        columns: names given to its columns by its alias (`t(a, b)`, LATERAL VIEW … AS a, b).
        partitions: values in a `PARTITION(…)` written behind the table.
        target: whether it is the table that an UPDATE, DELETE or MERGE changes.
    """

    at: Span
    joined: Joined
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
