"""What is made, altered and taken away: tables, views, functions, partitions."""

from enum import StrEnum

from review.facts.base import fact
from review.facts.partitions import PartitionValue
from review.facts.spans import Span


class Made(StrEnum):
    """What a CREATE makes."""

    TABLE = "table"
    VIEW = "view"
    FUNCTION = "function"
    RESOURCE = "resource"
    DATABASE = "database"
    SCHEMA = "schema"
    OTHER = "other"


@fact(frozen=True, slots=True)
class ColumnDefinition:
    """A column of a CREATE TABLE: its type in upper case as written, empty when there is none."""

    at: Span
    name: str
    type: str = ""
    comment: bool = False
    not_null: bool = False


@fact(frozen=True, slots=True)
class Creation:
    """A CREATE, ADD JAR or the like.

    Attributes:
        at: the name.
        columns: without the partition columns.
        partitions: the partition columns.
        lifecycle: days of LIFECYCLE; 0 when it is a parameter; None without one.
        exists: whether it says IF NOT EXISTS.
        replace: whether it says OR REPLACE.
        like: the table of CREATE TABLE … LIKE.
        queried: whether it is a CREATE TABLE … AS.
        temporary: whether it says TEMPORARY.
        external: whether it says EXTERNAL.
        keys: columns of its primary key.
    """

    at: Span
    what: Made
    name: str
    columns: tuple[ColumnDefinition, ...] = ()
    partitions: tuple[ColumnDefinition, ...] = ()
    comment: bool = False
    lifecycle: int | None = None
    exists: bool = False
    replace: bool = False
    like: str = ""
    queried: bool = False
    temporary: bool = False
    external: bool = False
    keys: tuple[str, ...] = ()


class Altered(StrEnum):
    """What an ALTER TABLE does besides taking something away (that is a `Removal`)."""

    ADD_COLUMNS = "add columns"
    ADD_PARTITION = "add partition"
    RENAME = "rename"
    RENAME_COLUMN = "rename column"
    CHANGE_COLUMN = "change column"
    LIFECYCLE = "lifecycle"
    OWNER = "owner"
    COMMENT = "comment"
    OTHER = "other"


@fact(frozen=True, slots=True)
class Alteration:
    """An ALTER TABLE.

    Attributes:
        table: as written.
        names: the columns that it adds or changes, or the new name.
        lifecycle: days of SET LIFECYCLE; 0 when it is a parameter; None when it sets none.
    """

    at: Span
    what: Altered
    table: str
    names: tuple[str, ...] = ()
    lifecycle: int | None = None


class Gone(StrEnum):
    """What a statement takes away."""

    TABLE = "table"
    VIEW = "view"
    DATABASE = "database"
    SCHEMA = "schema"
    PARTITION = "partition"
    COLUMN = "column"
    BACKUP = "backup"
    """What PURGE TABLE removes: dropped or overwritten data that could be brought back."""
    ROWS = "rows"
    """TRUNCATE of a whole table."""


@fact(frozen=True, slots=True)
class Removal:
    """A DROP, TRUNCATE or PURGE.

    Attributes:
        at: from the word that says it to the name.
        name: the table, view, database or schema, as written.
        partition: for a PARTITION: which.
        columns: for a COLUMN: which, as written.
    """

    at: Span
    what: Gone
    name: str
    partition: tuple[PartitionValue, ...] = ()
    columns: tuple[str, ...] = ()
