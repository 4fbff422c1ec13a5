"""The side of a lookup request without credentials: it reads the fleet's cache, and requests the rest."""

from __future__ import annotations

import time
from typing import TypeVar, cast
from uuid import uuid4

import redis

from common import clock, tracing
from common.json_types import Json
from workers.dataworks.cached_client import parse_cached
from workers.dataworks.errors import Unreachable
from workers.dataworks.invoker import Arguments
from workers.dataworks.lookup_cache import LookupCache
from workers.dataworks.lookup_requests.catalog import Lookup
from workers.dataworks.lookup_requests.messages import (
    LookupRequest,
    RequestKeys,
    decode_reply,
    encode_request,
)

WAIT_SECONDS = 15.0
"""Maximum wait for a reply: below the time limit of a message with CPU checks, which is then retried."""

LEASE_CHECK_SECONDS = 1.5
"""After each such time without a reply: if no server works on the request, it is sent again."""

REPLY_MARGIN = 0.25
"""Seconds before the end of the wait at which the server gives up, so that its error still arrives."""

REQUESTS_SECONDS = 60
"""Lifetime of the set of requests after the latest one."""

_MIN_WAIT = 0.01  # zero would mean forever

T = TypeVar("T")


class LookupRequester:
    """Looks up through the cache, and through a lookup server on a miss.

    Args:
        client: a Redis client that returns bytes.
        prefix: of the extension's keys.
        cache: the fleet's cache, which this process only reads.
    """

    def __init__(self, client: redis.Redis, prefix: str, cache: LookupCache) -> None:
        self._client = client
        self._keys = RequestKeys(prefix)
        self._cache = cache

    def fetch(self, lookup: Lookup[T], arguments: Arguments, *, deadline: float) -> T:
        """Return the parsed response of a lookup, which may come from the cache (about one minute old).

        Args:
            lookup: the lookup.
            arguments: its parameters.
            deadline: when to give up, in seconds since the epoch; the request with the earliest goes first.

        Raises:
            DataWorksError: the call failed; `Unreachable` if no server replied in time, or Redis failed.
        """
        lookup.validate(arguments)
        response = self._cache.get(lookup.name, arguments)
        if response is None:
            try:
                with tracing.span(f"request {lookup.name}", "client"):
                    response = self._request(lookup, arguments, deadline)
            except redis.RedisError as error:
                action = lookup.operation.action
                raise Unreachable(action, "RedisUnavailable", type(error).__name__) from None
        return parse_cached(lookup, response)

    def _request(self, lookup: Lookup[T], arguments: Arguments, deadline: float) -> Json:
        action, now = lookup.operation.action, clock.now()
        seconds = min(deadline - now, WAIT_SECONDS)
        request = LookupRequest(
            id=uuid4().hex,
            lookup=lookup.name,
            arguments=dict(arguments),
            deadline_at=deadline,
            expires_at=now + max(seconds - REPLY_MARGIN, seconds / 2),
            traceparent=tracing.current_traceparent(),
        )
        content, until = encode_request(request), time.monotonic() + seconds
        if seconds > 0:
            self._enqueue(request, content)
        while (left := until - time.monotonic()) > 0:
            seconds = max(min(left, LEASE_CHECK_SECONDS), _MIN_WAIT)
            if reply := self._client.blpop([self._keys.reply(request.id)], timeout=seconds):
                return decode_reply(action, cast("bytes", reply[1]))
            if not self._client.exists(self._keys.lease(request.id)):
                self._enqueue(request, content)
        self._client.zrem(self._keys.requests, content)
        raise Unreachable(action, "NoReply", "no worker with the role checks-io replied in time")

    def _enqueue(self, request: LookupRequest, content: bytes) -> None:
        pipe = self._client.pipeline(transaction=False)
        pipe.zadd(self._keys.requests, {content: request.deadline_at})
        pipe.expire(self._keys.requests, REQUESTS_SECONDS)
        pipe.execute()
