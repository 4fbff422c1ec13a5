"""What Python, shell and data integration code does, as far as rules need to know."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from workers.review.facts import Span


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


@dataclass(frozen=True, slots=True)
class Query:
    """SQL handed to something that runs it.

    Attributes:
        at: what runs it: the called name, or the client's command.
        call: its name: `execute_sql`, `odpscmd`.
        rows: what a loop around it goes over row by row, as written; empty when it is in no such loop.
        unread: whether its SQL is made at run time, so that it could not be reviewed.
    """

    at: Span
    call: str
    rows: str = ""
    unread: bool = False


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


@dataclass(frozen=True, slots=True)
class Given:
    """A password or key that a command is given in plain letters.

    Attributes:
        at: the password.
        command: the command's name.
        option: the option before it, as written; a variable's name when it is set for the command.
    """

    at: Span
    command: str
    option: str


@dataclass(frozen=True, slots=True)
class Erasure:
    """An `rm -r` (or `hadoop fs -rm -r`) of a path that begins with, or rests on, a variable.

    Attributes:
        at: the path.
        variable: the variable that nothing in the script sets or tests.
        left: what remains of the path when the variable is empty: `/`, `/tmp/`.
    """

    at: Span
    variable: str
    left: str


@dataclass(frozen=True, slots=True)
class ShellFacts:
    """What a shell node does.

    Attributes:
        steps: places of the commands that do work and whose failure would be passed over.
        passwords: secrets in plain letters on a command's line.
        erasures: deletions that an unset variable makes too large.
        queries: SQL handed to a client.
    """

    steps: tuple[Span, ...] = ()
    passwords: tuple[Given, ...] = ()
    erasures: tuple[Erasure, ...] = ()
    queries: tuple[Query, ...] = ()


@dataclass(frozen=True, slots=True)
class Mistake:
    """A place where a job does not have the shape of a data integration job, and what is wanted there."""

    at: Span
    path: str
    wanted: str
    wanted_zh: str


@dataclass(frozen=True, slots=True)
class Step:
    """A reader, writer or other step of a job.

    Attributes:
        at: its step type.
        category: `reader`, `writer` or another, in lower case.
        kind: its step type (`odps`, `mysql`), in lower case.
        parameter: its parameters as plain JSON values.
        places: their places by path within the parameters: ("column", 0).
    """

    at: Span
    category: str
    kind: str
    parameter: dict[str, object]
    places: dict[tuple[str | int, ...], Span]


@dataclass(frozen=True, slots=True)
class Job:
    """A data integration job in script mode.

    Attributes:
        steps: in order.
        mistakes: where its shape is wrong.
        error_limit: whether it limits the records that may fail.
        setting: place of its `setting`; None when it has none.
    """

    steps: tuple[Step, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    error_limit: bool = True
    setting: Span | None = None
