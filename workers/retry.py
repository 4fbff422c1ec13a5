"""Decides whether and when to retry, bounded by the number of attempts and by the deadline."""

from __future__ import annotations

import random
from dataclasses import dataclass

MAX_SECONDS = 8.0
"""Maximum wait before a retry, without the jitter, in seconds."""

MAX_ATTEMPTS = 5
"""Maximum attempts at one check, redeliveries included; after them it is an error."""


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """Whether to retry, and after how many seconds."""

    retry: bool
    seconds: float = 0.0


STOP = RetryDecision(retry=False)


def retry_decision(
    attempts: int, *, now: float, deadline: float, max_attempts: int = MAX_ATTEMPTS, cap: float = MAX_SECONDS
) -> RetryDecision:
    """Decide after a transient fault: wait 1, 2, 4 … seconds plus up to 25 % jitter, never past `deadline`.

    Args:
        attempts: number of attempts so far, 1 after the first.
        now: seconds since the epoch.
        deadline: time after which there is no retry, in seconds since the epoch.
        max_attempts: maximum number of attempts.
        cap: maximum wait before the jitter, in seconds.
    """
    if attempts >= max_attempts:
        return STOP
    seconds = min(cap, 2.0 ** (attempts - 1)) * random.uniform(1, 1.25)  # noqa: S311 - jitter, not a secret
    return RetryDecision(retry=True, seconds=seconds) if now + seconds < deadline else STOP
