"""A walk outward over whatever has neighbours: breadth first, bounded, and knowing no DataWorks."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from common.errors import DwgateError

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")

_WALK_SHARE = 0.8


class UnknownNode(DwgateError):
    """What was asked about is not known; the walk goes on without it."""


class WalkAborted(DwgateError):
    """Nothing more can be asked; the text says why."""


class StopReason(StrEnum):
    """Why something was not looked at.

    DEPTH, NODES, CALLS, TIME: the budget ended. CUT: an answer was full and may have had more. MISSING: it is
    not known. FAILED: it could not be asked. OWNERS: whose it is was not told; it hides no dependents.
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
    """What a walk may use up.

    Attributes:
        depth: hops from a start; what is found at the last hop is not looked behind.
        nodes: things found; the answer that goes beyond is still kept whole, being paid for.
        calls: questions asked.
        deadline: when it must have ended, in seconds since the epoch.
    """

    depth: int = 5
    nodes: int = 500
    calls: int = 60
    deadline: float = math.inf


@dataclass(frozen=True, slots=True)
class Unexplored:
    """Something that was not looked at.

    Attributes:
        names: what would have been looked behind.
        detail: a few more words.
    """

    reason: StopReason
    names: tuple[str, ...]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Neighbour(Generic[Key, Item]):
    """What lies one hop away."""

    key: Key
    name: str
    item: Item


@dataclass(frozen=True, slots=True)
class Visited(Generic[Key, Item]):
    """Something that the walk came to.

    Attributes:
        hops: the fewest from a start.
        path: names from the start to it, both included.
    """

    key: Key
    item: Item
    hops: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Walk(Generic[Key, Item]):
    """What a walk found, nearest first, and what it did not look at."""

    visited: tuple[Visited[Key, Item], ...]
    unexplored: tuple[Unexplored, ...]
    calls: int


def search_deadline(now: float, deadline: float) -> float:
    """Return when a walk that starts `now` should end, so that time is left to report before `deadline`."""
    return now + (deadline - now) * _WALK_SHARE


def walk_graph(
    starts: Iterable[tuple[Key, str]],
    neighbours: Callable[[Key], Sequence[Neighbour[Key, Item]]],
    budget: Budget,
    *,
    leave_out: Iterable[Key] = (),
    expand: Callable[[Item], bool] = lambda _: True,
    page_limit: int | None = None,
    clock: Callable[[], float] = time.time,
) -> Walk[Key, Item]:
    """Walk outward from `starts`, each thing once however many ways lead to it; starts are never found.

    Args:
        starts: keys with their names.
        neighbours: what lies one hop from a key; it may raise `UnknownNode` or `WalkAborted`.
        budget: what may be used up.
        leave_out: keys that are neither found nor walked through.
        expand: whether to go on behind a thing that was found.
        page_limit: how many neighbours one answer can hold; a full one may hide more.
        clock: seconds since the epoch.
    """
    queue: deque[tuple[Key, int, tuple[str, ...]]] = deque(
        (key, 0, (name,)) for key, name in dict(starts).items()
    )
    seen = {*(key for key, _, _ in queue), *leave_out}
    found: list[Visited[Key, Item]] = []
    unseen: list[Unexplored] = []
    calls = 0
    while queue:
        key, hops, path = queue[0]
        if why := _spent(budget, hops, len(found), calls, clock):
            unseen.append(Unexplored(why, _names(queue)))
            break
        calls += 1
        try:
            near = neighbours(key)
        except UnknownNode as error:
            near = ()
            unseen.append(Unexplored(StopReason.MISSING, path[-1:], str(error)))
        except WalkAborted as error:
            unseen.append(Unexplored(StopReason.FAILED, _names(queue), str(error)))
            break
        queue.popleft()
        if page_limit is not None and len(near) >= page_limit:
            unseen.append(Unexplored(StopReason.CUT, path[-1:]))
        for item in near:
            if item.key not in seen:
                seen.add(item.key)
                found.append(Visited(item.key, item.item, hops + 1, (*path, item.name)))
                if expand(item.item):
                    queue.append((item.key, hops + 1, (*path, item.name)))
    return Walk(tuple(found), tuple(unseen), calls)


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
