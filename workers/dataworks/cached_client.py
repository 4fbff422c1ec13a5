"""Reads through the cache that the whole fleet shares; concurrent misses of one key make a single call."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from common.json_types import Json
from workers.dataworks.error_mapping import rejection
from workers.dataworks.errors import RequestRejected
from workers.dataworks.invoker import Arguments, RetryingClient, parse_response
from workers.dataworks.operations import Operation
from workers.dataworks.single_flight import SingleFlight

REJECTED_ENTRY = "dwgate:Refused"
"""Field of a cached response that holds the error code of a rejection: "no such table" is cached as well."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CachedRead(Generic[T]):
    """A read whose response is cached.

    Attributes:
        operation: the operation that it calls.
        parse: returns the value of a whole response.
    """

    operation: Operation
    parse: Callable[[Json], T]


class CachedClient:
    """Reads from the fleet's cache, and from DataWorks on a miss.

    Args:
        calls: the client for cache misses.
        single_flight: the fleet's cache.
    """

    def __init__(self, calls: RetryingClient, single_flight: SingleFlight) -> None:
        self._calls = calls
        self._single_flight = single_flight

    def fetch(
        self, read: CachedRead[T], arguments: Arguments, *, deadline: float, begin_by: float = math.inf
    ) -> T:
        """Return the parsed response of a read, which may come from the cache (about one minute old).

        Args:
            read: the read.
            arguments: the operation's parameters.
            deadline: when to give up, in seconds since the epoch; the call with the earliest goes first.
            begin_by: when a call begins at the latest; one that has begun may take until `deadline`.

        Raises:
            DataWorksError: the call failed or could not begin in time, or the cache holds a rejection
                (`RequestRejected`).
            redis.RedisError: the rate limiter is unavailable.
        """
        return self._fetch(read, arguments, deadline, deadline, begin_by)[1]

    def beginning_by(self, begin_by: float) -> PromptClient:
        """Return a client of the same cache whose reads begin by a time, in seconds since the epoch."""
        return PromptClient(self, begin_by)

    def fetch_response(
        self, read: CachedRead[T], arguments: Arguments, *, deadline: float, deadline_at: float
    ) -> Json:
        """Return the response like `fetch`, as JSON that `read` can parse.

        Args:
            read: the read.
            arguments: the operation's parameters.
            deadline: when to give up, in seconds since the epoch.
            deadline_at: the event's deadline, in seconds since the epoch; the earliest goes first.

        Raises:
            DataWorksError: as for `fetch`.
            redis.RedisError: the rate limiter is unavailable.
        """
        return self._fetch(read, arguments, deadline, deadline_at)[0]

    def _fetch(
        self,
        read: CachedRead[T],
        arguments: Arguments,
        deadline: float,
        deadline_at: float,
        begin_by: float = math.inf,
    ) -> tuple[Json, T]:
        key = read.operation.cache_key
        cached = self._single_flight.get_or_lease(key, arguments, deadline=min(deadline, begin_by))
        if cached is not None:
            return cached, parse_cached(read, cached)
        try:
            response = self._calls.call(
                read.operation, arguments, deadline=deadline, deadline_at=deadline_at, begin_by=begin_by
            )
            value = parse_response(read.operation, read.parse, response)
        except RequestRejected as error:
            self._single_flight.publish(key, arguments, {REJECTED_ENTRY: error.code})
            raise
        except BaseException:
            self._single_flight.release(key, arguments)
            raise
        self._single_flight.publish(key, arguments, response)
        return response, value


@dataclass(frozen=True, slots=True)
class PromptClient:
    """Reads of a check that soon leaves its process: none begins late, and none that has begun is wasted.

    Attributes:
        client: makes the reads.
        begin_by: when a call begins at the latest, in seconds since the epoch. It may take longer: its
            response is then in the cache for the next attempt of the check.
    """

    client: CachedClient
    begin_by: float

    def fetch(self, read: CachedRead[T], arguments: Arguments, *, deadline: float) -> T:
        """Return the parsed response; see `CachedClient.fetch`."""
        return self.client.fetch(read, arguments, deadline=deadline, begin_by=self.begin_by)


def parse_cached(read: CachedRead[T], cached: Json) -> T:
    """Return the parsed value of a cached response.

    Raises:
        RequestRejected: DataWorks rejected the call.
        Unreachable: the response does not have the documented structure.
    """
    if REJECTED_ENTRY in cached:
        raise rejection(read.operation, cached[REJECTED_ENTRY])
    return parse_response(read.operation, read.parse, cached)
