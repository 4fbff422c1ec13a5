"""Questions to DataWorks as a walk asks them: what is unknown is left out, a fault ends it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from workers.checks.impact.graph_walk import Ended, Missing, Neighbour, Walk
from workers.dataworks.errors import DataWorksError, Refused

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


class Asking(Generic[Key, Item]):
    """A question that turns DataWorks' errors into those of the walk, and remembers the last one."""

    def __init__(self, ask: Callable[[Key], Sequence[Neighbour[Key, Item]]]) -> None:
        self._ask = ask
        self._fault: DataWorksError | None = None

    def __call__(self, key: Key) -> Sequence[Neighbour[Key, Item]]:
        """Ask about `key`.

        Raises:
            Missing: DataWorks does not know it.
            Ended: DataWorks could not be asked.
        """
        try:
            return self._ask(key)
        except Refused as error:
            raise Missing(error.code) from error
        except DataWorksError as error:
            self._fault = error
            raise Ended(f"{error.action}: {error.code}") from error

    def told(self, walk: Walk[Key, Item]) -> Walk[Key, Item]:
        """Return `walk`, unless a fault ended it before it found anything.

        Then there is nothing that could be told, and asking again may help.

        Raises:
            DataWorksError: that fault.
        """
        if self._fault and not walk.found:
            raise self._fault
        return walk
