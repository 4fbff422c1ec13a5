"""Rows written to tables."""

from enum import StrEnum

from review.facts.base import Span, fact
from review.facts.partitions import PartitionValue


class WriteKind(StrEnum):
    """How rows are added to a table or changed in it."""

    INSERT = "insert"
    """INSERT INTO: appended."""
    OVERWRITE = "overwrite"
    CREATE = "create"
    """CREATE TABLE … AS."""
    MERGE = "merge"
    UPDATE = "update"
    DELETE = "delete"
    LOAD = "load"
    LOAD_OVERWRITE = "load overwrite"
    UPSERT = "upsert"
    """REPLACE INTO, INSERT IGNORE, ON DUPLICATE KEY UPDATE, ON CONFLICT, REPLACE WHERE, or a primary key."""
    VIEW = "view"
    """CREATE MATERIALIZED VIEW … TO: rows are added whenever rows are inserted into what the view reads."""


@fact(frozen=True, slots=True)
class Write:
    """Rows written to a table.

    Attributes:
        at: the table's name.
        table: as written.
        partition: its PARTITION(…), in order; empty without one.
        columns: the columns it lists; empty if it lists none.
        blocks: indexes of the blocks whose rows are written (several for a UNION); empty for VALUES, and for
            UPDATE, DELETE and MERGE, which have a block of role CHANGE, as has the conflict of an INSERT.
        values: number of rows of VALUES; None if its rows come from a query.
        filtered: for UPDATE and DELETE: whether a WHERE or a join can exclude rows.
    """

    at: Span
    kind: WriteKind
    table: str
    partition: tuple[PartitionValue, ...] = ()
    columns: tuple[str, ...] = ()
    blocks: tuple[int, ...] = ()
    values: int | None = None
    filtered: bool = True
