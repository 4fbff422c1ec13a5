"""Lookups through the cache that the whole fleet shares; concurrent misses of one key make a single call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from common.json_types import Json
from workers.dataworks.error_mapping import rejection
from workers.dataworks.errors import RequestRejected
from workers.dataworks.invoker import Arguments, RetryingClient, parse_response
from workers.dataworks.operations import Operation
from workers.dataworks.single_flight import SingleFlight

REJECTED_ENTRY = "dwgate:Refused"
"""Field of a cached response that holds the error code of a rejection: "no such table" is cached as well."""

T = TypeVar("T")


class CachedClient:
    """Fetches lookups from the fleet's cache, and from DataWorks on a miss.

    Args:
        calls: the client for cache misses.
        single_flight: the fleet's cache.
    """

    def __init__(self, calls: RetryingClient, single_flight: SingleFlight) -> None:
        self._calls = calls
        self._single_flight = single_flight

    def fetch(
        self, operation: Operation, arguments: Arguments, parse: Callable[[Json], T], *, deadline: float
    ) -> T:
        """Return the parsed response of a lookup, which may come from the cache (about one minute old).

        Raises:
            DataWorksError: the call failed, or the cache holds a rejection (`RequestRejected`).
            redis.RedisError: the rate limiter is unavailable.
        """
        cached = self._single_flight.get_or_lease(operation.cache_key, arguments, deadline=deadline)
        if cached is not None:
            return _parse_cached(operation, parse, cached)
        try:
            response = self._calls.call(operation, arguments, deadline=deadline)
            value = parse_response(operation, parse, response)
        except RequestRejected as error:
            self._single_flight.publish(operation.cache_key, arguments, {REJECTED_ENTRY: error.code})
            raise
        except BaseException:
            self._single_flight.release(operation.cache_key, arguments)
            raise
        self._single_flight.publish(operation.cache_key, arguments, response)
        return value


def _parse_cached(operation: Operation, parse: Callable[[Json], T], cached: Json) -> T:
    if REJECTED_ENTRY in cached:
        raise rejection(operation, cached[REJECTED_ENTRY])
    return parse_response(operation, parse, cached)
