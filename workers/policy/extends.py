"""Sets that extend one another: their order, and circular references. Linear, and without recursion."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Extends = Mapping[str, Sequence[str]]
"""The names that each set extends."""


@dataclass(frozen=True, slots=True)
class CircularExtends:
    """One reference of a set by which it extends itself.

    Attributes:
        set_name: the set.
        index: position of the reference in its `extends`.
        path: names from the set back to itself, by the shortest way.
    """

    set_name: str
    index: int
    path: tuple[str, ...]


def order_sets(names: Iterable[str], extends: Extends, seen: set[str] | None = None) -> Iterator[str]:
    """Yield `names` and the sets that they extend: each once, at its first position, after what it extends.

    Args:
        names: sets, in order.
        extends: the references; sets that are not in it are left out.
        seen: sets to leave out; the sets of the result are added.
    """
    seen = set() if seen is None else seen
    path: list[tuple[str | None, Iterator[str]]] = [(None, iter(names))]
    while path:
        name, rest = path[-1]
        for each in rest:
            if each not in seen and each in extends:
                seen.add(each)
                path.append((each, iter(extends[each])))
                break
        else:
            path.pop()
            if name is not None:
                yield name


def find_circular_extends(extends: Extends) -> Iterator[CircularExtends]:
    """Yield every reference that is part of a circle."""
    groups = _circular_groups(extends)
    for name, references in extends.items():
        for index, other in enumerate(references):
            if groups.get(name) == groups.get(other) is not None:
                yield CircularExtends(name, index, (name, *_shortest_path(other, name, extends)))


def _circular_groups(extends: Extends) -> dict[str, str]:
    """Return the strongly connected component of each set, by the name of a member (Kosaraju's algorithm)."""
    extended_by: dict[str, list[str]] = {name: [] for name in extends}
    for name, references in extends.items():
        for other in references:
            if other in extended_by:
                extended_by[other].append(name)
    groups: dict[str, str] = {}
    seen: set[str] = set()
    for name in reversed(list(order_sets(extends, extends))):
        groups |= dict.fromkeys(order_sets([name], extended_by, seen), name)
    return groups


def _shortest_path(start: str, end: str, extends: Extends) -> list[str]:
    """Return the names from `start` to `end`, which can be reached."""
    came_from: dict[str, str | None] = {start: None}
    waiting = deque([start])
    while end not in came_from:
        name = waiting.popleft()
        for other in extends.get(name, ()):
            if other not in came_from:
                came_from[other] = name
                waiting.append(other)
    path: list[str] = []
    step: str | None = end
    while step is not None:
        path.append(step)
        step = came_from[step]
    return path[::-1]
