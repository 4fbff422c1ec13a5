"""Finds the row source that a column belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

Owner = tuple[int, int]
"""Index of a block, and of a source in that block."""


@dataclass(frozen=True, slots=True)
class KnownColumns:
    """Names of columns, in lower case.

    Attributes:
        names: the columns that are known to exist.
        whole: whether the list is complete.
    """

    names: frozenset[str] = frozenset()
    whole: bool = False


NOTHING = KnownColumns()


@dataclass(slots=True)
class QueryScope:
    """The row sources of one block, and the outer block whose columns are visible too.

    Attributes:
        aliases: names that the block gives to computed outputs.
    """

    block: int
    outer: QueryScope | None = None
    columns: list[KnownColumns] = field(default_factory=list)
    aliases: frozenset[str] = frozenset()
    _named: dict[str, int] = field(default_factory=dict)
    _alike: dict[KnownColumns, list[int]] = field(default_factory=dict)
    """Indexes of sources by their known columns: among thousands of sources most are equal."""

    def add(self, names: Iterable[str], columns: KnownColumns) -> None:
        """Add a source: the qualifiers of its columns, in lower case, and its known columns."""
        for name in names:
            self._named.setdefault(name, len(self.columns))
        self._alike.setdefault(columns, []).append(len(self.columns))
        self.columns.append(columns)

    def qualified(self, qualifier: str) -> Owner | None:
        """Return the source named `qualifier` (in lower case), from the innermost block that has one."""
        scope: QueryScope | None = self
        while scope is not None:
            if (source := scope._named.get(qualifier)) is not None:
                return scope.block, source
            scope = scope.outer
        return None

    def bare(self, name: str) -> Owner | None:
        """Return the source of an unqualified column (in lower case); None if it is ambiguous or unknown."""
        scope: QueryScope | None = self
        while scope is not None:
            columns = scope.columns
            if len(columns) == 1:  # by far the most common case
                if not columns[0].whole or name in columns[0].names:
                    return scope.block, 0
            elif columns and (candidates := scope._having(name) or scope._open()):
                return (scope.block, candidates[0][0]) if list(map(len, candidates)) == [1] else None
            scope = scope.outer
        return None

    def has(self, name: str) -> bool:
        """Whether a source of the block is known to have a column named `name`."""
        return bool(self._having(name))

    def _having(self, name: str) -> list[list[int]]:
        return [alike for known, alike in self._alike.items() if name in known.names]

    def _open(self) -> list[list[int]]:
        return [alike for known, alike in self._alike.items() if not known.whole]
