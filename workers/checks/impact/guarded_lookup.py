"""Questions to DataWorks as a walk asks them: what is unknown is left out, a fault ends it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from workers.checks.impact.graph_walk import Neighbour, UnknownNode, Walk, WalkAborted
from workers.dataworks.errors import DataWorksError, RequestRejected

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


class GuardedLookup(Generic[Key, Item]):
    """A question that turns DataWorks' errors into those of the walk, and remembers the last one."""

    def __init__(self, ask: Callable[[Key], Sequence[Neighbour[Key, Item]]]) -> None:
        self._lookup = ask
        self._fault: DataWorksError | None = None

    def __call__(self, key: Key) -> Sequence[Neighbour[Key, Item]]:
        """Ask about `key`.

        Raises:
            Missing: DataWorks does not know it.
            Ended: DataWorks could not be asked.
        """
        try:
            return self._lookup(key)
        except RequestRejected as error:
            raise UnknownNode(error.code) from error
        except DataWorksError as error:
            self._fault = error
            raise WalkAborted(f"{error.action}: {error.code}") from error

    def or_raise(self, walk: Walk[Key, Item]) -> Walk[Key, Item]:
        """Return `walk`, unless a fault ended it before it found anything.

        Then there is nothing that could be told, and asking again may help.

        Raises:
            DataWorksError: that fault.
        """
        if self._fault and not walk.visited:
            raise self._fault
        return walk
