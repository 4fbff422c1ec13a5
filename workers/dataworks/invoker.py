"""Calls of the OpenAPI within the fleet's quota, made again while it is known that nothing was done."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_exponential_jitter

from workers.dataworks.errors import ReplyLost, Transient, Unreachable
from workers.dataworks.json_fields import MalformedResponse
from workers.dataworks.operations import Operation
from workers.dataworks.rate_limiter import Quota
from workers.dataworks.transport import Gateway

TRIES = 3
FIRST_SLEEP = 0.2
LONGEST_SLEEP = 2.0

Json = dict[str, Any]
Arguments = Mapping[str, str | int]
T = TypeVar("T")


class Calls:
    """The way to make a call.

    Args:
        gateway: the way to the OpenAPI.
        quota: the fleet's share of the account's quota.
    """

    def __init__(self, gateway: Gateway, quota: Quota) -> None:
        self._gateway = gateway
        self._quota = quota

    def open(self) -> None:
        """Load the SDK now, so that no call has to."""
        self._gateway.open()

    def call(
        self,
        operation: Operation,
        arguments: Arguments,
        *,
        until: float,
        urgent: bool = False,
        deadline_at: float | None = None,
        slot_by: float | None = None,
    ) -> Json:
        """Call `operation`, up to three times, and return its answer.

        Args:
            operation: the operation.
            arguments: its parameters, by their names in the OpenAPI.
            until: when to give up, in seconds since the epoch; no wait of any kind goes past it.
            urgent: a verdict, or a question about one: it goes before everything that is not.
            deadline_at: of the event, in seconds since the epoch: of its kind the nearest goes first.
            slot_by: when to give up waiting for the quota before the first try; None for `until`.

        Raises:
            DataWorksError: it failed.
            redis.RedisError: the quota cannot be asked for.
        """
        slots_until = iter([min(until, slot_by or until)])

        def once() -> Json:
            slot = self._quota.acquire(
                operation.kind,
                action=operation.action,
                urgent=urgent,
                deadline_at=deadline_at or until,
                until=next(slots_until, until),
            )
            try:
                return self._gateway.call(operation, arguments, until=until)
            finally:
                self._quota.ended(slot)

        return retrying(until)(once)


def retrying(until: float) -> Retrying:
    """Return the way to try a call again: at most three tries, no sleep that would end after `until`."""
    return Retrying(
        retry=retry_if_exception(harmless),
        stop=stop_after_attempt(TRIES) | stop_before_delay(max(until - time.time(), 0)),
        wait=wait_exponential_jitter(multiplier=FIRST_SLEEP, max=LONGEST_SLEEP, jitter=FIRST_SLEEP),
        reraise=True,
    )


def harmless(error: BaseException) -> bool:
    """Whether the call may simply be made again: the fault may pass, and nothing was carried out."""
    return isinstance(error, Transient) and not isinstance(error, ReplyLost)


def read(operation: Operation, shape: Callable[[Json], T], answer: Json) -> T:
    """Return what `shape` makes of an answer.

    Raises:
        Unreachable: the answer has another shape than documented.
    """
    try:
        return shape(answer)
    except MalformedResponse as error:
        raise Unreachable(operation.action, "Unreadable", str(error)) from None
