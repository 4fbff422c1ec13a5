"""The time and the bytes that one call may use, as the code that reads its response sees them.

The SDK passes only a connect and a read timeout down to the sockets. A call runs in the thread of its caller
from begin to end, so the budget is kept by thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from common.errors import DwgateError


class ResponseTooLarge(DwgateError):
    """A response has more bytes than a call may read."""


@dataclass(slots=True)
class CallBudget:
    """What is left of one call.

    Attributes:
        ends_at: when the call must have ended, by `time.monotonic()`.
        bytes_left: bytes of the response, headers included, that may still arrive.
    """

    ends_at: float
    bytes_left: int

    def seconds_left(self) -> float:
        """Return the seconds that are left.

        Raises:
            TimeoutError: there are none.
        """
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the call has used up its time")
        return left

    def count(self, size: int) -> None:
        """Count bytes that have arrived.

        Raises:
            ResponseTooLarge: they are more than are left.
        """
        self.bytes_left -= size
        if self.bytes_left < 0:
            raise ResponseTooLarge("the response is larger than a call may read")


_of_thread = threading.local()


@contextmanager
def limited_call(seconds: float, max_bytes: int) -> Iterator[CallBudget]:
    """Give the call that this thread makes in the block a budget."""
    budget = CallBudget(time.monotonic() + seconds, max_bytes)
    _of_thread.budget = budget
    try:
        yield budget
    finally:
        del _of_thread.budget


def current_budget() -> CallBudget:
    """Return the budget of the call that this thread makes.

    Raises:
        AttributeError: it makes none.
    """
    budget: CallBudget = _of_thread.budget
    return budget
