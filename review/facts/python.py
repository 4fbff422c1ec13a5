"""Facts of a Python node besides its SQL."""

from dataclasses import dataclass
from enum import StrEnum

from review.facts.base import Span
from review.facts.queries import EmbeddedQuery


@dataclass(frozen=True, slots=True)
class PythonText:
    """A plain string in the code: its value, and its span with the quotes."""

    at: Span
    value: str


@dataclass(frozen=True, slots=True)
class OdpsLogin:
    """A call of `ODPS(…)`.

    Attributes:
        at: the name of the called function.
        keys: plain strings passed as AccessKey ID, secret or token.
    """

    at: Span
    keys: tuple[PythonText, ...] = ()


class TableAccessKind(StrEnum):
    """The effect of a PyODPS call on a table."""

    READ = "read"
    APPEND = "append"
    OVERWRITE = "overwrite"
    EMPTY = "empty"
    DROP = "drop"
    DROP_PARTITION = "drop partition"
    CREATE = "create"


@dataclass(frozen=True, slots=True)
class TableAccess:
    """A table that a PyODPS call reads or changes.

    Attributes:
        at: the called name.
        call: that name as written.
        table: the table's name; empty if it is computed at run time.
        whole: for a read: whether it certainly has no partition, filter or limit.
        partition: the partition it names, if that is a plain string.
        is_filtered: whether it names a partition, plain or computed at run time.
        has_no_lifecycle: whether it certainly creates a table without a lifecycle.
    """

    at: Span
    call: str
    act: TableAccessKind
    table: str = ""
    whole: bool = False
    partition: PythonText | None = None
    is_filtered: bool = False
    has_no_lifecycle: bool = False

    @property
    def adds_rows(self) -> bool:
        """Whether the call leaves rows of its own in the table."""
        return self.act in (TableAccessKind.CREATE, TableAccessKind.APPEND, TableAccessKind.OVERWRITE)

    @property
    def removes_rows(self) -> bool:
        """Whether the call empties the table or a part of it."""
        return self.act in (TableAccessKind.EMPTY, TableAccessKind.DROP, TableAccessKind.DROP_PARTITION)


@dataclass(frozen=True, slots=True)
class PythonFacts:
    """The facts of a Python node."""

    logins: tuple[OdpsLogin, ...] = ()
    queries: tuple[EmbeddedQuery, ...] = ()
    accesses: tuple[TableAccess, ...] = ()
