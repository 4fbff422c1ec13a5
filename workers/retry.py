"""When to try again: a pure decision, bounded in number and by the deadline."""

from __future__ import annotations

import random
from dataclasses import dataclass

MOST_ATTEMPTS = 5
"""Attempts at one check before it counts as an error; redeliveries count too."""


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """Whether to try again, and after how many seconds."""

    again: bool
    seconds: float = 0.0


STOP = RetryDecision(again=False)


def decide(
    attempts: int, *, now: float, until: float, most: int = MOST_ATTEMPTS, cap: float = 8.0
) -> RetryDecision:
    """Decide after a transient fault: wait 1, 2, 4 … seconds and up to a quarter more, never past `until`.

    Args:
        attempts: how often it was tried, 1 after the first.
        now: seconds since the epoch.
        until: when another try would come too late, in seconds since the epoch.
        most: attempts at the most.
        cap: the longest wait, in seconds.
    """
    if attempts >= most:
        return STOP
    seconds = min(cap, 2.0 ** (attempts - 1)) * random.uniform(1, 1.25)  # noqa: S311 - a jitter, no secret
    return RetryDecision(again=True, seconds=seconds) if now + seconds < until else STOP
