"""The side of a lookup request that has credentials: it makes the calls and replies.

A server leases the requests that it works on. When its process dies, the lease ends, and the requester sends
the request again, to any server.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import cast

import redis
import structlog

from common import clock, tracing
from workers import progress
from workers.dataworks.cached_client import CachedClient
from workers.dataworks.errors import DataWorksError, Unreachable
from workers.dataworks.lookup_requests.catalog import find_lookup
from workers.dataworks.lookup_requests.messages import (
    REPLY_SECONDS,
    InvalidRequest,
    LookupRequest,
    RequestKeys,
    decode_request,
    encode_error,
    encode_reply,
)

MAX_CALLS = 16
"""Lookups that a process serves at a time: at 50 reads a second, each may take 300 ms."""

POP_SECONDS = 2.0
"""Time to wait for a request at a time; below the response timeout of the Redis client."""

RENEW_SECONDS = 0.5
LEASE_SECONDS = 2.0
"""Interval of renewing the leases, and their lifetime; see `requester.LEASE_CHECK_SECONDS`."""

log = structlog.get_logger(__name__)


class LookupServer:
    """Serves the requests of processes without credentials, each in a thread of its own.

    Args:
        client: a Redis client that returns bytes.
        prefix: of the extension's keys.
        cached_client: makes the calls, within the fleet's quota and through its cache.
    """

    def __init__(self, client: redis.Redis, prefix: str, cached_client: CachedClient) -> None:
        self._client = client
        self._keys = RequestKeys(prefix)
        self._cached_client = cached_client
        self._slots = threading.BoundedSemaphore(MAX_CALLS)
        self._active: set[str] = set()

    def serve_next(self) -> None:
        """Wait up to `POP_SECONDS` for the request with the earliest deadline, and start to serve it.

        While `MAX_CALLS` requests are being served, it leaves the others to other processes, and waits.

        Raises:
            redis.RedisError: Redis is unavailable.
        """
        with ExitStack() as slot:
            slot.enter_context(self._slots)
            if request := self._take():
                threading.Thread(target=self._serve, args=(request,), name="lookup", daemon=True).start()
                slot.pop_all()  # the thread releases it

    def renew_leases(self) -> None:
        """Renew the leases of the requests that are being served; to be repeated every `RENEW_SECONDS`.

        Most calls end before their first renewal, and so need no lease.
        """
        if active := self._active.copy():
            pipe = self._client.pipeline(transaction=False)
            for request_id in active:
                pipe.set(self._keys.lease(request_id), b"", px=int(LEASE_SECONDS * 1000))
            pipe.execute()

    def _take(self) -> LookupRequest | None:
        popped = self._client.bzpopmin(self._keys.requests, timeout=POP_SECONDS)
        if popped is None:
            return None
        try:
            request = decode_request(cast("bytes", popped[1]))
        except InvalidRequest as error:
            log.warning("lookup_request_invalid", reason=str(error))
            return None
        return request if request.expires_at > clock.now() else None

    def _serve(self, request: LookupRequest) -> None:
        self._active.add(request.id)
        try:
            with (
                progress.step(may_wait=True),
                tracing.continue_trace(request.traceparent),
                tracing.span(f"serve {request.lookup}", "server"),
            ):
                self._reply(request.id, self._answer(request))
        except redis.RedisError as error:
            # The lease ends, and the requester sends its request again.
            log.warning("lookup_reply_failed", error=type(error).__name__)
        finally:
            self._active.discard(request.id)
            self._slots.release()

    def _answer(self, request: LookupRequest) -> bytes:
        try:
            lookup = find_lookup(request.lookup)
            lookup.validate(request.arguments)
            return encode_reply(
                self._cached_client.fetch_response(
                    lookup, request.arguments, deadline=request.expires_at, deadline_at=request.deadline_at
                )
            )
        except DataWorksError as error:
            return encode_error(error)
        except redis.RedisError:
            raise
        except Exception as error:  # noqa: BLE001 - a defect must not leave the requester waiting
            log.error("lookup_failed", error=type(error).__name__)
            return encode_error(Unreachable(request.lookup, "LookupFailed", type(error).__name__))

    def _reply(self, request_id: str, reply: bytes) -> None:
        key = self._keys.reply(request_id)
        pipe = self._client.pipeline(transaction=True)
        pipe.rpush(key, reply)
        pipe.expire(key, REPLY_SECONDS)
        pipe.execute()
