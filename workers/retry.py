"""When to try again: a pure decision, bounded in number and by the deadline."""

from __future__ import annotations

import random
from dataclasses import dataclass

MAX_ATTEMPTS = 5
"""Attempts at one check before it counts as an error; redeliveries count too."""


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """Whether to try again, and after how many seconds."""

    retry: bool
    seconds: float = 0.0


STOP = RetryDecision(retry=False)


def retry_decision(
    attempts: int, *, now: float, deadline: float, max_attempts: int = MAX_ATTEMPTS, cap: float = 8.0
) -> RetryDecision:
    """Decide after a transient fault: wait 1, 2, 4 … seconds and up to a quarter more, never past `deadline`.

    Args:
        attempts: how often it was tried, 1 after the first.
        now: seconds since the epoch.
        deadline: when another try would come too late, in seconds since the epoch.
        max_attempts: attempts at the most.
        cap: the longest wait, in seconds.
    """
    if attempts >= max_attempts:
        return STOP
    seconds = min(cap, 2.0 ** (attempts - 1)) * random.uniform(1, 1.25)  # noqa: S311 - a jitter, no secret
    return RetryDecision(retry=True, seconds=seconds) if now + seconds < deadline else STOP
