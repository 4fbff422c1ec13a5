"""Calls of the OpenAPI within the fleet's quota, made again while it is known that nothing was done."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_exponential_jitter

from common.json_types import Json
from workers.dataworks.errors import ReplyLost, Transient, Unreachable
from workers.dataworks.json_fields import MalformedResponse
from workers.dataworks.operations import Operation
from workers.dataworks.rate_limiter import RateLimiter
from workers.dataworks.transport import Transport

MAX_ATTEMPTS = 3
MIN_SLEEP = 0.2
MAX_SLEEP = 2.0

Arguments = Mapping[str, str | int]
T = TypeVar("T")


class RetryingClient:
    """The way to make a call.

    Args:
        gateway: the way to the OpenAPI.
        quota: the fleet's share of the account's quota.
    """

    def __init__(self, transport: Transport, rate_limiter: RateLimiter) -> None:
        self._transport = transport
        self._rate_limiter = rate_limiter

    def warm_up(self) -> None:
        """Load the SDK now, so that no call has to."""
        self._transport.warm_up()

    def call(
        self,
        operation: Operation,
        arguments: Arguments,
        *,
        deadline: float,
        urgent: bool = False,
        deadline_at: float | None = None,
        quota_deadline: float | None = None,
    ) -> Json:
        """Call `operation`, up to three times, and return its answer.

        Args:
            operation: the operation.
            arguments: its parameters, by their names in the OpenAPI.
            deadline: when to give up, in seconds since the epoch; no wait of any kind goes past it.
            urgent: a verdict, or a question about one: it goes before everything that is not.
            deadline_at: of the event, in seconds since the epoch: of its kind the nearest goes first.
            quota_deadline: when to give up waiting for the quota before the first try; None for `deadline`.

        Raises:
            DataWorksError: it failed.
            redis.RedisError: the quota cannot be asked for.
        """
        slots_until = iter([min(deadline, quota_deadline or deadline)])

        def once() -> Json:
            slot = self._rate_limiter.acquire(
                operation.quota_kind,
                action=operation.action,
                urgent=urgent,
                deadline_at=deadline_at or deadline,
                deadline=next(slots_until, deadline),
            )
            try:
                return self._transport.call(operation, arguments, deadline=deadline)
            finally:
                self._rate_limiter.release(slot)

        return retrying(deadline)(once)


def retrying(deadline: float) -> Retrying:
    """Return the way to try a call again: at most three tries, no sleep that would end after `deadline`."""
    return Retrying(
        retry=retry_if_exception(is_safe_to_retry),
        stop=stop_after_attempt(MAX_ATTEMPTS) | stop_before_delay(max(deadline - time.time(), 0)),
        wait=wait_exponential_jitter(multiplier=MIN_SLEEP, max=MAX_SLEEP, jitter=MIN_SLEEP),
        reraise=True,
    )


def is_safe_to_retry(error: BaseException) -> bool:
    """Whether the call may simply be made again: the fault may pass, and nothing was carried out."""
    return isinstance(error, Transient) and not isinstance(error, ReplyLost)


def parse_response(operation: Operation, parse: Callable[[Json], T], answer: Json) -> T:
    """Return what `parse` makes of an answer.

    Raises:
        Unreachable: the answer has another shape than documented.
    """
    try:
        return parse(answer)
    except MalformedResponse as error:
        raise Unreachable(operation.action, "Unreadable", str(error)) from None
