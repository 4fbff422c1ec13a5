"""Table names: their last part, whether two of them refer to the same table, and their positions."""

from __future__ import annotations

from collections.abc import Iterable

from review.facts.base import Span


def last_part(name: str) -> str:
    """Return a table's own name, without project and schema, as written."""
    return name_parts(name)[-1]


def name_parts(name: str) -> list[str]:
    """Return the parts of a table's name; a dot in an inserted expression (`{self.name}`) separates none."""
    if "{" not in name and "(" not in name:
        return name.split(".")
    parts, depth, begin = [], 0, 0
    for index, letter in enumerate(name):
        if letter in "{(":
            depth += 1
        elif letter in "})":
            depth -= 1
        elif letter == "." and depth <= 0:
            parts.append(name[begin:index])
            begin = index + 1
    return [*parts, name[begin:]]


def table_key(name: str) -> str:
    """Return the last part of a table's name in lower case, equal for names of the same table."""
    return last_part(name).lower()


def is_same_table(one: str, other: str, project: str | None = None) -> bool:
    """Whether two names may refer to the same table; only the parts that both have are compared.

    Args:
        one: a name as written.
        other: another.
        project: the project of a name without one; None if unknown.
    """
    parts, others = name_parts(one.lower()), name_parts(other.lower())
    if project and len(parts) != len(others):
        parts, others = ([project.lower(), *names] if len(names) == 1 else names for names in (parts, others))
    shared = min(len(parts), len(others))
    return bool(one) and bool(other) and parts[-shared:] == others[-shared:]


_Range = tuple[Span, Span]
"""The first and the last position."""


def is_dynamic(name: str) -> bool:
    """Whether a name is computed at run time, at least in part, and so may be that of any table."""
    return not name or any(mark in name for mark in "${[%")


class NamePositions:
    """The first and the last position of each table name. A question reads only the names of its table."""

    def __init__(self, names: Iterable[tuple[Span, str]], project: str | None) -> None:
        self._project = project
        self._dynamic: _Range | None = None
        self._named: dict[str, dict[str, _Range]] = {}
        for at, name in names:
            if is_dynamic(name):
                self._dynamic = _extended(self._dynamic, at)
            else:
                same = self._named.setdefault(table_key(name), {})
                same[name] = _extended(same.get(name), at)

    def has(self, table: str) -> bool:
        """Whether a name may be that of `table`."""
        return any(True for _ in self._ranges(table))

    def is_before(self, at: Span, table: str) -> bool:
        """Whether a name that may be that of `table` starts before `at`."""
        return any(first < at for first, _ in self._ranges(table))

    def is_after(self, at: Span, table: str) -> bool:
        """Whether a name that may be that of `table` starts after `at`."""
        return any(last > at for _, last in self._ranges(table))

    def _ranges(self, table: str) -> Iterable[_Range]:
        if self._dynamic:
            yield self._dynamic
        for name, found in self._named.get(table_key(table), {}).items():
            if is_same_table(name, table, self._project):
                yield found


def _extended(known: _Range | None, at: Span) -> _Range:
    return (at, at) if known is None else (min(known[0], at), max(known[1], at))
