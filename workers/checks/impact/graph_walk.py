"""A bounded breadth-first search of any graph, independent of DataWorks."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Generic, TypeVar

from common import clock as fleet_clock
from common.errors import DwgateError

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")

_WALK_SHARE = 0.8
"""Share of the time until the deadline that a search may use; the rest is for reporting."""


class UnknownNode(DwgateError):
    """The node does not exist; the search continues without it."""


class WalkAborted(DwgateError):
    """A lookup failed and the search must end; the text is the reason."""


class StopReason(StrEnum):
    """Why a part of the graph was not explored.

    DEPTH, NODES, CALLS, TIME: the budget was exhausted. CUT: a result had the maximum length and may be
    incomplete. MISSING: the node does not exist. FAILED: the lookup failed. OWNERS: the lookup of the owner
    failed; no dependents are missing.
    """

    DEPTH = "depth"
    NODES = "nodes"
    CALLS = "calls"
    TIME = "time"
    CUT = "cut"
    MISSING = "missing"
    FAILED = "failed"
    OWNERS = "owners"


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of a search.

    Attributes:
        depth: maximum hops from a start; nodes at the last hop are not expanded.
        nodes: number of nodes found that ends the search; the result that exceeds it is kept whole, since
            its lookup has been made.
        calls: maximum lookups.
        deadline: time at which it must end, in seconds since the epoch.
    """

    depth: int = 5
    nodes: int = 500
    calls: int = 60
    deadline: float = math.inf


@dataclass(frozen=True, slots=True)
class Unexplored:
    """A part of the graph that was not explored.

    Attributes:
        names: names of the nodes that were not expanded.
        detail: more information, such as an error code; may be empty.
        keys: their keys as text; empty if it is not about certain nodes.
    """

    reason: StopReason
    names: tuple[str, ...]
    detail: str = ""
    keys: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Neighbour(Generic[Key, Item]):
    """A node one hop away."""

    key: Key
    name: str
    item: Item


@dataclass(frozen=True, slots=True)
class Visited(Generic[Key, Item]):
    """A node that the search found.

    Attributes:
        hops: minimum number of hops from a start.
        path: names from the start to the node, both included.
    """

    key: Key
    item: Item
    hops: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Walk(Generic[Key, Item]):
    """The nodes that a search found, nearest first, and what it did not explore.

    Attributes:
        edges: all edges that the lookups returned, from a node to its neighbour, those to starts and to nodes
            found before included.
    """

    visited: tuple[Visited[Key, Item], ...]
    unexplored: tuple[Unexplored, ...]
    calls: int
    edges: tuple[tuple[Key, Key], ...] = ()


def search_deadline(now: float, deadline: float) -> float:
    """Return when a search that starts `now` should end, so that time is left to report before `deadline`."""
    return now + (deadline - now) * _WALK_SHARE


def walk_graph(
    starts: Iterable[tuple[Key, str]],
    neighbours: Callable[[Key], Sequence[Neighbour[Key, Item]]],
    budget: Budget,
    *,
    leave_out: Iterable[Key] = (),
    expand: Callable[[Item], bool] = lambda _: True,
    page_limit: int | None = None,
    clock: Callable[[], float] = fleet_clock.now,
    begin: Callable[[Sequence[Key]], None] = lambda _: None,
) -> Walk[Key, Item]:
    """Search from `starts`, visiting each node once; starts are not part of the result.

    Args:
        starts: keys with their names.
        neighbours: returns the nodes one hop from a key; may raise `UnknownNode` or `WalkAborted`.
        budget: limits of the search.
        leave_out: keys that are neither returned nor expanded.
        expand: whether to continue behind a node.
        page_limit: maximum neighbours in one result; a result of this length may be incomplete.
        clock: returns seconds since the epoch.
        begin: called with the keys of each level that the budget allows to expand, before any is.
    """
    queue: deque[tuple[Key, int, tuple[str, ...]]] = deque(
        (key, 0, (name,)) for key, name in dict(starts).items()
    )
    seen = {*(key for key, _, _ in queue), *leave_out}
    found: list[Visited[Key, Item]] = []
    unseen: list[Unexplored] = []
    edges: list[tuple[Key, Key]] = []
    calls, level = 0, -1
    while queue:
        key, hops, path = queue[0]
        if reason := _spent(budget, hops, len(found), calls, clock):
            unseen.append(Unexplored(reason, _names(queue), keys=_keys(queue)))
            break
        if hops > level:
            level = hops
            begin([item[0] for item in islice(queue, budget.calls - calls)])
        calls += 1
        try:
            near = neighbours(key)
        except UnknownNode as error:
            near = ()
            unseen.append(Unexplored(StopReason.MISSING, path[-1:], str(error), (str(key),)))
        except WalkAborted as error:
            unseen.append(Unexplored(StopReason.FAILED, _names(queue), str(error), _keys(queue)))
            break
        queue.popleft()
        if page_limit is not None and len(near) >= page_limit:
            unseen.append(Unexplored(StopReason.CUT, path[-1:], keys=(str(key),)))
        for item in near:
            edges.append((key, item.key))
            if item.key not in seen:
                seen.add(item.key)
                found.append(Visited(item.key, item.item, hops + 1, (*path, item.name)))
                if expand(item.item):
                    queue.append((item.key, hops + 1, (*path, item.name)))
    return Walk(tuple(found), tuple(unseen), calls, tuple(edges))


def _spent(
    budget: Budget, hops: int, found: int, calls: int, clock: Callable[[], float]
) -> StopReason | None:
    if hops >= budget.depth:
        return StopReason.DEPTH
    if found >= budget.nodes:
        return StopReason.NODES
    if calls >= budget.calls:
        return StopReason.CALLS
    return StopReason.TIME if clock() >= budget.deadline else None


def _names(queue: Iterable[tuple[Key, int, tuple[str, ...]]]) -> tuple[str, ...]:
    return tuple(path[-1] for _, _, path in queue)


def _keys(queue: Iterable[tuple[Key, int, tuple[str, ...]]]) -> tuple[str, ...]:
    return tuple(str(key) for key, _, _ in queue)
