"""Questions to DataWorks, answered for the whole fleet: kept, being asked by another already, or called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from workers.dataworks.errors import Refused
from workers.dataworks.invoker import Arguments, Calls, Json, read
from workers.dataworks.operations import Operation
from workers.dataworks.single_flight import Flight

REFUSED = "dwgate:Refused"
"""The field of a kept answer that holds the code of a refusal: that no table has a name is an answer too."""

T = TypeVar("T")


class Asker:
    """Asks DataWorks what the fleet does not know yet.

    Args:
        calls: the way to make a call.
        flight: the fleet's answers.
    """

    def __init__(self, calls: Calls, flight: Flight) -> None:
        self._calls = calls
        self._flight = flight

    def ask(
        self, operation: Operation, arguments: Arguments, shape: Callable[[Json], T], *, until: float
    ) -> T:
        """Return what `shape` makes of the answer to a lookup, perhaps one of about a minute ago.

        Raises:
            DataWorksError: it failed, or failed for somebody else and would again (`Refused`).
            redis.RedisError: the quota cannot be asked for.
        """
        kept = self._flight.join(operation.action, arguments, until=until)
        if kept is not None:
            return _kept(operation, shape, kept)
        try:
            answer = self._calls.call(operation, arguments, until=until)
            value = read(operation, shape, answer)
        except Refused as error:
            self._flight.land(operation.action, arguments, {REFUSED: error.code})
            raise
        except BaseException:
            self._flight.give_up(operation.action, arguments)
            raise
        self._flight.land(operation.action, arguments, answer)
        return value


def _kept(operation: Operation, shape: Callable[[Json], T], kept: dict[str, Any]) -> T:
    if REFUSED in kept:
        raise Refused(operation.action, kept[REFUSED])
    return read(operation, shape, kept)
