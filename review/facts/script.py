"""A node's code with all facts read from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from review.context import Given
from review.dialects import Dialect
from review.facts.data_integration import Job
from review.facts.definitions import Alteration, Altered
from review.facts.python import PythonFacts
from review.facts.shell import ShellFacts
from review.facts.spans import Span
from review.facts.statements import Statement
from review.facts.tables import same_table, table_key
from review.facts.writes import Written


@dataclass(frozen=True, slots=True)
class Parameter:
    """A use of a scheduling parameter.

    Attributes:
        name: the name that scheduling must define; empty for one that needs no definition (`${yyyymmdd}`,
            `$[yyyymmdd-1]`, `${bdp.system.bizdate}`).
        text: as written.
    """

    at: Span
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its delimiters."""

    at: Span
    text: str


@dataclass(frozen=True, slots=True)
class Script:
    """A node's code.

    Attributes:
        code: the text as its author wrote it.
        given: what is known apart from the code: the node, its tables, the project.
        statements: its statements in order; for Python and shell, those of the SQL within it.
        python: facts of a Python node besides its SQL.
        shell: facts of a shell node besides its SQL.
        job: facts of a data integration node.
    """

    code: str
    dialect: Dialect
    given: Given = field(default_factory=Given)
    statements: tuple[Statement, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    comments: tuple[Comment, ...] = ()
    python: PythonFacts = field(default_factory=PythonFacts)
    shell: ShellFacts = field(default_factory=ShellFacts)
    job: Job = field(default_factory=Job)
    _found: dict[Callable[[Statement], Iterable[str]], dict[str, list[tuple[int, str]]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def same(self, one: str, other: str) -> bool:
        """Whether two names refer to the same table; a name without a project is in the script's project."""
        return same_table(one, other, self.given.project)

    def made_before(self, index: int, table: str) -> bool:
        """Whether the script creates `table` before the statement at `index`, without IF NOT EXISTS."""
        return any(
            place < index and self.same(table, name)
            for place, name in self._places(_anew).get(table_key(table), ())
        )

    def filled_after(self, index: int, table: str) -> bool:
        """Whether the script creates or writes `table` after the statement at `index`."""
        return any(
            place > index and self.same(table, name)
            for place, name in reversed(self._places(_fills).get(table_key(table), ()))
        ) or any(
            access.brings and access.at > self.statements[index].at and self.may_be(access.table, table)
            for access in self.python.accesses
        )

    def _places(self, names: Callable[[Statement], Iterable[str]]) -> dict[str, list[tuple[int, str]]]:
        """Return the statements for which `names` yields a name, by the last part of that name."""
        found = self._found.get(names)
        if found is None:
            found = self._found[names] = {}
            for index, item in enumerate(self.statements):
                for name in names(item):
                    found.setdefault(table_key(name), []).append((index, name))
        return found

    def taken_by_call(self, before: Span, table: str) -> bool:
        """Whether a call in a Python node empties `table`, or a part of it, before the position `before`."""
        return any(
            access.takes and access.at < before and self.may_be(access.table, table)
            for access in self.python.accesses
        )

    def may_be(self, name: str, table: str) -> bool:
        """Whether `name` refers to `table`, or is computed at run time and so may refer to any table."""
        return not name or any(mark in name for mark in "${[%") or self.same(name, table)


def _anew(item: Statement) -> Iterator[str]:
    return (made.name for made in item.creations if not made.exists)


def _fills(item: Statement) -> Iterator[str]:
    yield from (made.name for made in item.creations)
    yield from (write.table for write in item.writes if write.how not in _KEEPS_WHAT_IS_THERE)
    for change in item.alterations:
        yield from _renewed(change)


_KEEPS_WHAT_IS_THERE = frozenset({Written.UPDATE, Written.DELETE})
"""Write kinds that add no rows."""


def _renewed(change: Alteration) -> tuple[str, ...]:
    if change.what is Altered.RENAME:
        return change.names
    return (change.table,) if change.what is Altered.ADD_PARTITION else ()
