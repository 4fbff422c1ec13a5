"""Which row source a column belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

Owner = tuple[int, int]
"""Index of a block, and of a source in it."""


@dataclass(frozen=True, slots=True)
class Known:
    """Names of columns, in lower case.

    Attributes:
        names: the columns that are known to be there.
        whole: whether there are no others.
    """

    names: frozenset[str] = frozenset()
    whole: bool = False


NOTHING = Known()


@dataclass(slots=True)
class Scope:
    """The row sources of one block, and the block whose columns it sees besides.

    Attributes:
        aliases: names that the block itself gives to computed outputs.
    """

    block: int
    outer: Scope | None = None
    columns: list[Known] = field(default_factory=list)
    aliases: frozenset[str] = frozenset()
    _named: dict[str, int] = field(default_factory=dict)
    _alike: dict[Known, list[int]] = field(default_factory=dict)
    """Sources by what is known of them: of thousands of sources nearly all are alike."""

    def add(self, names: Iterable[str], columns: Known) -> None:
        """Add a source: what its columns may be qualified by, in lower case, and its columns."""
        for name in names:
            self._named.setdefault(name, len(self.columns))
        self._alike.setdefault(columns, []).append(len(self.columns))
        self.columns.append(columns)

    def qualified(self, qualifier: str) -> Owner | None:
        """Return the source that `qualifier` (in lower case) names, of the innermost block that has one."""
        scope: Scope | None = self
        while scope is not None:
            if (source := scope._named.get(qualifier)) is not None:
                return scope.block, source
            scope = scope.outer
        return None

    def bare(self, name: str) -> Owner | None:
        """Return the source of a column without qualifier (in lower case); None unless that is certain."""
        scope: Scope | None = self
        while scope is not None:
            columns = scope.columns
            if len(columns) == 1:  # by far the most
                if not columns[0].whole or name in columns[0].names:
                    return scope.block, 0
            elif columns and (candidates := scope._having(name) or scope._open()):
                return (scope.block, candidates[0][0]) if list(map(len, candidates)) == [1] else None
            scope = scope.outer
        return None

    def has(self, name: str) -> bool:
        """Whether a source of the block is known to have a column of this name."""
        return bool(self._having(name))

    def _having(self, name: str) -> list[list[int]]:
        return [alike for known, alike in self._alike.items() if name in known.names]

    def _open(self) -> list[list[int]]:
        return [alike for known, alike in self._alike.items() if not known.whole]
