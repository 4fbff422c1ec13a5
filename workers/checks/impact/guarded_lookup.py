"""Lookups within a graph search: an unknown object is skipped, any other error ends the search."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from workers.checks.api import Lookups
from workers.checks.impact.graph_walk import Neighbour, UnknownNode, Walk, WalkAborted
from workers.dataworks.errors import DataWorksError, NotFound

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


class GuardedLookup(Generic[Key, Item]):
    """A lookup that converts DataWorks errors to those of the search, and remembers the last one.

    Args:
        lookups: queries to DataWorks.
        query: returns the neighbours of a key.
    """

    def __init__(
        self, lookups: Lookups, query: Callable[[Lookups, Key], Sequence[Neighbour[Key, Item]]]
    ) -> None:
        self._lookups = lookups
        self._query = query
        self._fault: DataWorksError | None = None

    def begin(self, keys: Sequence[Key]) -> None:
        """Begin to look up the neighbours of `keys`."""
        self._lookups.begin(self._query, keys)

    def __call__(self, key: Key) -> Sequence[Neighbour[Key, Item]]:
        """Return the neighbours of `key`.

        Raises:
            UnknownNode: it does not exist in DataWorks.
            WalkAborted: the lookup failed.
        """
        try:
            return self._query(self._lookups, key)
        except NotFound as error:
            raise UnknownNode(error.code) from error
        except DataWorksError as error:
            self._fault = error
            raise WalkAborted(f"{error.action}: {error.code}") from error

    def or_raise(self, walk: Walk[Key, Item]) -> Walk[Key, Item]:
        """Return `walk`, unless an error ended it before it found anything.

        In that case there is nothing to report, and a retry may help.

        Raises:
            DataWorksError: the error that ended the search.
        """
        if self._fault and not walk.visited:
            raise self._fault
        return walk
