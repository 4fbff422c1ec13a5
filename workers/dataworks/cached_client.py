"""Questions to DataWorks, answered for the whole fleet: kept, being asked by another already, or called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from common.json_types import Json
from workers.dataworks.errors import RequestRejected
from workers.dataworks.invoker import Arguments, RetryingClient, parse_response
from workers.dataworks.operations import Operation
from workers.dataworks.single_flight import SingleFlight

REJECTED_ENTRY = "dwgate:Refused"
"""The field of a kept answer that holds the code of a refusal: that no table has a name is an answer too."""

T = TypeVar("T")


class CachedClient:
    """Asks DataWorks what the fleet does not know yet.

    Args:
        calls: the way to make a call.
        flight: the fleet's answers.
    """

    def __init__(self, calls: RetryingClient, single_flight: SingleFlight) -> None:
        self._calls = calls
        self._single_flight = single_flight

    def fetch(
        self, operation: Operation, arguments: Arguments, parse: Callable[[Json], T], *, deadline: float
    ) -> T:
        """Return what `parse` makes of the answer to a lookup, perhaps one of about a minute ago.

        Raises:
            DataWorksError: it failed, or failed for somebody else and would again (`RequestRejected`).
            redis.RedisError: the quota cannot be asked for.
        """
        kept = self._single_flight.get_or_lease(operation.action, arguments, deadline=deadline)
        if kept is not None:
            return _parse_cached(operation, parse, kept)
        try:
            answer = self._calls.call(operation, arguments, deadline=deadline)
            value = parse_response(operation, parse, answer)
        except RequestRejected as error:
            self._single_flight.publish(operation.action, arguments, {REJECTED_ENTRY: error.code})
            raise
        except BaseException:
            self._single_flight.release(operation.action, arguments)
            raise
        self._single_flight.publish(operation.action, arguments, answer)
        return value


def _parse_cached(operation: Operation, shape: Callable[[Json], T], kept: dict[str, Any]) -> T:
    if REJECTED_ENTRY in kept:
        raise RequestRejected(operation.action, kept[REJECTED_ENTRY])
    return parse_response(operation, shape, kept)
