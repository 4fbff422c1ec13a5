"""OpenAPI calls within the fleet's quota, retried only if the failed attempt certainly had no effect."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_exponential_jitter

from common import clock, tracing
from common.json_types import Json
from workers import metrics, progress
from workers.dataworks.errors import (
    AccessDenied,
    Busy,
    DataWorksError,
    NotFound,
    ReplyLost,
    Throttled,
    Transient,
    Unreachable,
)
from workers.dataworks.json_fields import MalformedResponse
from workers.dataworks.limits.bulkheads import Bulkheads
from workers.dataworks.operations import Operation
from workers.dataworks.rate_limiter import RateLimiter, Slot
from workers.dataworks.transport import Transport

MAX_ATTEMPTS = 3
MIN_SLEEP = 0.2
MAX_SLEEP = 2.0
"""Bounds of the exponential backoff between two attempts, in seconds."""

Arguments = Mapping[str, str | int]
T = TypeVar("T")


class CallResult(StrEnum):
    """How an attempt to call the OpenAPI ended; a label of the metrics."""

    OK = "ok"
    THROTTLED = "throttled"
    BUSY = "busy"
    REPLY_LOST = "reply-lost"
    UNREACHABLE = "unreachable"
    DENIED = "denied"
    NOT_FOUND = "not-found"
    REJECTED = "rejected"


_RESULTS: tuple[tuple[type[DataWorksError], CallResult], ...] = (
    (Throttled, CallResult.THROTTLED),
    (Busy, CallResult.BUSY),
    (ReplyLost, CallResult.REPLY_LOST),
    (Unreachable, CallResult.UNREACHABLE),
    (AccessDenied, CallResult.DENIED),
    (NotFound, CallResult.NOT_FOUND),
)
"""By the type of the error; a type precedes those that it is derived from."""


class RetryingClient:
    """Makes rate-limited calls and retries them.

    Args:
        transport: sends the calls.
        rate_limiter: the fleet's share of the account's quota.
        bulkheads: the share of each operation in the threads of this process.
    """

    def __init__(self, transport: Transport, rate_limiter: RateLimiter, bulkheads: Bulkheads) -> None:
        self._transport = transport
        self._rate_limiter = rate_limiter
        self._bulkheads = bulkheads

    def warm_up(self) -> None:
        """Load the SDK now instead of with the first call."""
        self._transport.warm_up()

    def await_room(self, operation: Operation, *, seconds: float) -> None:
        """Wait until this process may make one more call of `operation`, at most `seconds`.

        Raises:
            Busy: its calls hang or are many.
        """
        with _counting_busy(operation):
            self._bulkheads.await_room(operation, seconds=seconds)

    def call(
        self,
        operation: Operation,
        arguments: Arguments,
        *,
        deadline: float,
        urgent: bool = False,
        deadline_at: float | None = None,
        quota_deadline: float | None = None,
        begin_by: float = math.inf,
        confirm: Callable[[], object] | None = None,
    ) -> Json:
        """Call `operation`, at most three times, and return the response.

        Args:
            operation: the operation.
            arguments: its parameters, by their names in the OpenAPI.
            deadline: when to give up, in seconds since the epoch; no wait of any kind exceeds it.
            urgent: whether it is a verdict, or a query about one; urgent calls precede all others.
            deadline_at: the event's deadline, in seconds since the epoch; the earliest of a class goes first.
            quota_deadline: when to stop waiting for the quota before the first attempt; None for `deadline`.
            begin_by: when to stop waiting for the quota, or for another attempt, in seconds since the epoch;
                what has been sent by then may take until `deadline`.
            confirm: called before each attempt is sent, after the wait for the quota; raises to prevent it.

        Raises:
            DataWorksError: the call failed.
            redis.RedisError: the rate limiter is unavailable.
        """
        if clock.now() >= begin_by:
            raise Unreachable(operation.action, "TooLate", "no call begins any more")
        last_begin = min(deadline, begin_by)
        # Only the first attempt has its own limit for the quota.
        quota_deadlines = iter([min(last_begin, quota_deadline or last_begin)])

        def attempt() -> Json:
            self.await_room(operation, seconds=last_begin - clock.now())
            with tracing.span("wait for quota"):
                slot = self._acquire_slot(
                    operation,
                    urgent=urgent,
                    deadline_at=deadline_at or deadline,
                    deadline=next(quota_deadlines, last_begin),
                )
            try:
                with (
                    _counting_busy(operation),
                    self._bulkheads.call(operation, seconds=deadline - clock.now()),
                ):
                    if confirm:
                        confirm()
                    return self._send(operation, arguments, deadline)
            finally:
                self._rate_limiter.release(slot)
                progress.mark()

        with tracing.span(operation.action, "client"):
            return retrying(last_begin)(attempt)

    def _acquire_slot(
        self, operation: Operation, *, urgent: bool, deadline_at: float, deadline: float
    ) -> Slot:
        kind, started = operation.quota_kind, time.perf_counter()
        try:
            return self._rate_limiter.acquire(
                kind, action=operation.action, urgent=urgent, deadline_at=deadline_at, deadline=deadline
            )
        except Throttled:
            metrics.QUOTA_TIMEOUTS.labels(kind.value).inc()
            raise
        finally:
            metrics.QUOTA_WAIT_SECONDS.labels(kind.value).observe(time.perf_counter() - started)

    def _send(self, operation: Operation, arguments: Arguments, deadline: float) -> Json:
        started, result = time.perf_counter(), CallResult.OK
        try:
            return self._transport.call(operation, arguments, deadline=deadline)
        except DataWorksError as error:
            result = call_result(error)
            raise
        finally:
            metrics.OPENAPI_CALLS.labels(operation.action, result.value).inc()
            metrics.OPENAPI_SECONDS.labels(operation.action).observe(time.perf_counter() - started)


@contextmanager
def _counting_busy(operation: Operation) -> Iterator[None]:
    """Count a call that is not sent, since calls of its operation hang or are many."""
    try:
        yield
    except Busy:
        metrics.OPENAPI_CALLS.labels(operation.action, CallResult.BUSY.value).inc()
        raise


def call_result(error: DataWorksError) -> CallResult:
    """Return the label for a call that ended with `error`."""
    return next((result for kind, result in _RESULTS if isinstance(error, kind)), CallResult.REJECTED)


def retrying(deadline: float) -> Retrying:
    """Return the retry policy of a call: at most three attempts, and no sleep beyond `deadline`."""
    return Retrying(
        retry=retry_if_exception(is_safe_to_retry),
        stop=stop_after_attempt(MAX_ATTEMPTS) | stop_before_delay(max(deadline - clock.now(), 0)),
        wait=wait_exponential_jitter(multiplier=MIN_SLEEP, max=MAX_SLEEP, jitter=MIN_SLEEP),
        reraise=True,
    )


def is_safe_to_retry(error: BaseException) -> bool:
    """Whether the call may be repeated: the fault is transient, and the request was certainly not applied.

    One that was not sent since others hang is repeated later, and not by a thread that waits.
    """
    return isinstance(error, Transient) and not isinstance(error, ReplyLost | Busy)


def parse_response(operation: Operation, parse: Callable[[Json], T], response: Json) -> T:
    """Return the parsed `response`.

    Raises:
        Unreachable: the response does not have the documented structure.
    """
    try:
        return parse(response)
    except MalformedResponse as error:
        raise Unreachable(operation.action, "Unreadable", str(error)) from None
