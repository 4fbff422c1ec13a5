"""A node's code with all facts read from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from review.context import ReviewContext
from review.dialects import Dialect
from review.facts.base import Span
from review.facts.data_integration import Job
from review.facts.definitions import Alteration, AlterKind, RemovedKind
from review.facts.python import PythonFacts
from review.facts.shell import ShellFacts
from review.facts.statements import ReadAs, Statement
from review.facts.tables import NamePositions, is_dynamic, is_same_table, table_key
from review.facts.writes import WriteKind


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


_Effect = Literal["adds_rows", "removes_rows"]
_EFFECTS: tuple[_Effect, ...] = ("adds_rows", "removes_rows")


@dataclass(frozen=True, slots=True)
class Script:
    """A node's code.

    Attributes:
        code: the text as its author wrote it.
        context: what is known apart from the code: the node, its tables, the project.
        statements: its statements in order; for Python and shell, those of the SQL within it.
        python: facts of a Python node besides its SQL.
        shell: facts of a shell node besides its SQL.
        job: facts of a data integration node.
    """

    code: str
    dialect: Dialect
    context: ReviewContext = field(default_factory=ReviewContext)
    statements: tuple[Statement, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    comments: tuple[Comment, ...] = ()
    python: PythonFacts = field(default_factory=PythonFacts)
    shell: ShellFacts = field(default_factory=ShellFacts)
    job: Job = field(default_factory=Job)
    _cache: dict[Callable[[Statement], Iterable[str]], dict[str, list[tuple[int, str]]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    _calls: dict[str, NamePositions] = field(default_factory=dict, init=False, repr=False, compare=False)

    def with_statements(self, statements: tuple[Statement, ...]) -> Script:
        """Return a script with other statements, and the same calls."""
        made = replace(self, statements=statements)
        made._calls.update({effect: self._called(effect) for effect in _EFFECTS})
        return made

    def same(self, one: str, other: str) -> bool:
        """Whether two names refer to the same table; a name without a project is in the script's project."""
        return is_same_table(one, other, self.context.project)

    def created_before(self, index: int, table: str) -> bool:
        """Whether the script creates `table` before the statement at `index`, without IF NOT EXISTS."""
        return any(
            place < index and self.same(table, name)
            for place, name in self._places(_rebuilds).get(table_key(table), ())
        )

    def replaced_before(self, index: int, table: str) -> bool:
        """Whether a statement before the one at `index` replaces all rows of `table`, or creates it."""
        return any(
            place < index and self.same(table, name)
            for place, name in self._places(_replaces_all).get(table_key(table), ())
        )

    def written_after(self, index: int, table: str) -> bool:
        """Whether the script creates or writes `table` after the statement at `index`."""
        return any(
            place > index and self.same(table, name)
            for place, name in reversed(self._places(_writes_rows).get(table_key(table), ()))
        ) or self.filled_by_call_after(self.statements[index].at, table)

    def last_call(self) -> int:
        """Return the index of the last statement that calls a routine; -1 without one."""
        calls = (index for index, item in enumerate(self.statements) if item.read_as is ReadAs.CALL)
        return max(calls, default=-1)

    def _places(self, names: Callable[[Statement], Iterable[str]]) -> dict[str, list[tuple[int, str]]]:
        """Return the statements for which `names` yields a name, by the last part of that name."""
        found = self._cache.get(names)
        if found is None:
            found = self._cache[names] = {}
            for index, item in enumerate(self.statements):
                for name in names(item):
                    found.setdefault(table_key(name), []).append((index, name))
        return found

    def emptied_by_call_before(self, before: Span, table: str) -> bool:
        """Whether a call in a Python node empties `table`, or a part of it, before the position `before`."""
        return self._called("removes_rows").is_before(before, table)

    def filled_by_call_after(self, after: Span, table: str) -> bool:
        """Whether a call in a Python node adds rows to `table` after the position `after`."""
        return self._called("adds_rows").is_after(after, table)

    def _called(self, effect: _Effect) -> NamePositions:
        if effect not in self._calls:
            found = ((access.at, access.table) for access in self.python.accesses if getattr(access, effect))
            self._calls[effect] = NamePositions(found, self.context.project)
        return self._calls[effect]

    def may_refer_to(self, name: str, table: str) -> bool:
        """Whether `name` refers to `table`, or is computed at run time and so may refer to any table."""
        return is_dynamic(name) or self.same(name, table)


def _rebuilds(item: Statement) -> Iterator[str]:
    return (made.name for made in item.creations if not made.exists or made.temporary)


def _replaces_all(item: Statement) -> Iterator[str]:
    yield from _rebuilds(item)
    for gone in item.removals:
        if gone.what in (RemovedKind.TABLE, RemovedKind.ROWS):
            yield gone.name
    for write in item.writes:
        if write.kind is WriteKind.OVERWRITE and not write.partition:
            yield write.table
        if write.kind is WriteKind.DELETE and not write.filtered:
            yield write.table


def _writes_rows(item: Statement) -> Iterator[str]:
    yield from (made.name for made in item.creations)
    yield from (write.table for write in item.writes if write.kind not in _KEEPS_WHAT_IS_THERE)
    for change in item.alterations:
        yield from _is_renewed(change)


_KEEPS_WHAT_IS_THERE = frozenset({WriteKind.UPDATE, WriteKind.DELETE})
"""Write kinds that add no rows."""


def _is_renewed(change: Alteration) -> tuple[str, ...]:
    if change.what is AlterKind.RENAME:
        return change.names
    return (change.table,) if change.what is AlterKind.ADD_PARTITION else ()
