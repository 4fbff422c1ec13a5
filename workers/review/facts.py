"""What a script does, as far as rules need to know: read from its trees, free of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from workers.review.dialects import Dialect
from workers.review.places import Place


@dataclass(frozen=True, slots=True)
class Star:
    """A `SELECT *` or `SELECT t.*` over a table whose columns the statement does not list.

    Attributes:
        reaches_result: whether its rows are written or returned by the statement, not just read within it.
    """

    at: Place
    reaches_result: bool


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two row sources of one query block that no predicate links.

    Attributes:
        source: the one that is joined; empty when it has no name.
        written_cross: whether `CROSS JOIN` is what the author wrote.
    """

    at: Place
    source: str
    written_cross: bool


class Verb(StrEnum):
    """How a statement changes rows in place."""

    DELETE = "DELETE"
    UPDATE = "UPDATE"


@dataclass(frozen=True, slots=True)
class Change:
    """A DELETE or UPDATE.

    Attributes:
        filtered: whether its WHERE, or a join, can leave a row out.
    """

    at: Place
    verb: Verb
    table: str
    filtered: bool


class Gone(StrEnum):
    """What a statement takes away."""

    TABLE = "table"
    DATABASE = "database"
    SCHEMA = "schema"
    PARTITION = "partition"
    COLUMN = "column"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class Removal:
    """A DROP or TRUNCATE.

    Attributes:
        what: what goes: all `rows` for a TRUNCATE, a `partition` for both when one is named.
        name: the table, database or schema.
        parameterised: whether the partition is named by a scheduling parameter.
    """

    at: Place
    what: Gone
    name: str
    parameterised: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement.

    Attributes:
        at: where it begins.
        unread: why it could not be read; None when it could.
        unread_at: where reading it stopped.
        makes: tables that it creates anew (it would fail if they were there).
        fills: tables that it creates or writes rows into.
    """

    at: Place
    unread: str | None = None
    unread_at: Place | None = None
    stars: tuple[Star, ...] = ()
    pairings: tuple[Pairing, ...] = ()
    changes: tuple[Change, ...] = ()
    removals: tuple[Removal, ...] = ()
    makes: tuple[str, ...] = ()
    fills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """A node's code.

    Attributes:
        code: the text as its author wrote it.
        statements: what it does, in order; empty for code that is not SQL.
    """

    code: str
    dialect: Dialect
    statements: tuple[Statement, ...] = ()

    def made_before(self, index: int, table: str) -> bool:
        """Whether the script itself creates `table` before the statement at `index`."""
        return any(_same(table, name) for item in self.statements[:index] for name in item.makes)

    def filled_after(self, index: int, table: str) -> bool:
        """Whether the script creates or fills `table` after the statement at `index`."""
        return any(_same(table, name) for item in self.statements[index + 1 :] for name in item.fills)


def _same(one: str, other: str) -> bool:
    # `t` and `project.t` may be the same table: as many parts as both have are compared.
    parts, others = one.lower().split("."), other.lower().split(".")
    shared = min(len(parts), len(others))
    return parts[-shared:] == others[-shared:]
