"""What is created, altered and removed: tables, views, functions, partitions."""

from enum import StrEnum

from review.facts.base import Span, fact
from review.facts.partitions import PartitionValue


class CreatedKind(StrEnum):
    """The kind of object that a CREATE creates."""

    TABLE = "table"
    VIEW = "view"
    FUNCTION = "function"
    RESOURCE = "resource"
    DATABASE = "database"
    SCHEMA = "schema"
    OTHER = "other"


@fact(frozen=True, slots=True)
class ColumnDefinition:
    """A column of a CREATE TABLE: its type in upper case as written, empty without one.

    Attributes:
        generated: whether the engine computes its values, so that an INSERT need not give them.
    """

    at: Span
    name: str
    type: str = ""
    comment: bool = False
    not_null: bool = False
    generated: bool = False


@fact(frozen=True, slots=True)
class Creation:
    """A CREATE, ADD JAR or the like.

    Attributes:
        at: the name.
        columns: without the partition columns.
        partitions: the partition columns.
        lifecycle: days of LIFECYCLE; 0 if it is a parameter; None without one.
        exists: whether it has IF NOT EXISTS.
        replace: whether it has OR REPLACE.
        like: the table of CREATE TABLE … LIKE.
        queried: whether it is a CREATE TABLE … AS.
        temporary: whether it has TEMPORARY.
        external: whether it has EXTERNAL.
        keys: columns of its primary key.
    """

    at: Span
    what: CreatedKind
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


class AlterKind(StrEnum):
    """The action of an ALTER TABLE, except one that removes something (that is a `Removal`)."""

    ADD_COLUMNS = "add columns"
    ADD_PARTITION = "add partition"
    """Also ATTACH, EXCHANGE and REPLACE PARTITION, which fill it from elsewhere."""
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
        lifecycle: days of SET LIFECYCLE; 0 if it is a parameter; None if it sets none.
    """

    at: Span
    what: AlterKind
    table: str
    names: tuple[str, ...] = ()
    lifecycle: int | None = None


class RemovedKind(StrEnum):
    """The kind of object that a statement removes."""

    TABLE = "table"
    VIEW = "view"
    DATABASE = "database"
    SCHEMA = "schema"
    PARTITION = "partition"
    DETACHED = "detached partition"
    """A partition that DETACH takes out of the table; its rows are kept outside."""
    COLUMN = "column"
    BACKUP = "backup"
    """Data removed by PURGE TABLE: dropped or overwritten data that could have been restored."""
    ROWS = "rows"
    """TRUNCATE of a whole table."""


@fact(frozen=True, slots=True)
class Removal:
    """A DROP, TRUNCATE or PURGE.

    Attributes:
        at: from its keyword to the name.
        name: the table, view, database or schema, as written.
        partition: for a PARTITION: its values.
        columns: for a COLUMN: the columns' names as written.
    """

    at: Span
    what: RemovedKind
    name: str
    partition: tuple[PartitionValue, ...] = ()
    columns: tuple[str, ...] = ()
