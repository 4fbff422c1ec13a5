"""What a Python node does besides SQL."""

from dataclasses import dataclass
from enum import StrEnum

from review.facts.queries import Query
from review.facts.spans import Span


@dataclass(frozen=True, slots=True)
class Text:
    """A plain string in the code: its value, and its place with its quotes."""

    at: Span
    value: str


@dataclass(frozen=True, slots=True)
class Login:
    """A call of `ODPS(…)`.

    Attributes:
        at: the name that is called.
        keys: plain strings given as AccessKey id, secret or token.
    """

    at: Span
    keys: tuple[Text, ...] = ()


class Act(StrEnum):
    """What a call of PyODPS does with a table."""

    READ = "read"
    APPEND = "append"
    OVERWRITE = "overwrite"
    EMPTY = "empty"
    DROP = "drop"
    DROP_PARTITION = "drop partition"
    CREATE = "create"


@dataclass(frozen=True, slots=True)
class Access:
    """A table that a call of PyODPS reads or changes.

    Attributes:
        at: the called name.
        call: that name as written.
        table: the table's name; empty when it is made at run time.
        whole: for a read: whether certainly no partition, filter or limit narrows it.
        partition: the partition that it names, when that is a plain string.
        narrowed: whether it names a partition, plain or made at run time.
        endless: whether it certainly creates a table without a lifecycle.
    """

    at: Span
    call: str
    act: Act
    table: str = ""
    whole: bool = False
    partition: Text | None = None
    narrowed: bool = False
    endless: bool = False

    @property
    def brings(self) -> bool:
        """Whether there is something in the table afterwards that this call put there."""
        return self.act in (Act.CREATE, Act.APPEND, Act.OVERWRITE)

    @property
    def takes(self) -> bool:
        """Whether the table, or a part of it, is empty afterwards."""
        return self.act in (Act.EMPTY, Act.DROP, Act.DROP_PARTITION)


@dataclass(frozen=True, slots=True)
class PythonFacts:
    """What a Python node does."""

    logins: tuple[Login, ...] = ()
    queries: tuple[Query, ...] = ()
    accesses: tuple[Access, ...] = ()
