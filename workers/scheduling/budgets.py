"""CPU budgets of workspaces, and the inputs that are known to be slow; shared by the fleet, in Redis.

A budget is a token bucket of BUDGET_SECONDS of CPU time that refills within BUDGET_PERIOD. One key holds it:
its remaining lifetime is the time until the bucket is full, and no key is a full bucket.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import cast

import redis

BUDGET_SECONDS = 15.0
"""CPU seconds that a workspace may use on the fast queue, and that it gains in BUDGET_PERIOD."""

BUDGET_PERIOD = 60.0
"""Seconds in which an empty budget becomes full."""

MIN_CHARGE_SECONDS = 0.05
"""CPU seconds from which a use is charged at once. Smaller ones are added up in the process: most checks need
less, and would each cost a round trip."""

PENALTY_SECONDS = 240.0
"""Seconds without access to the fast queue after an input that used up its allowance there."""

SLOW_INPUT_SECONDS = 3600
"""How long an input that used up its allowance goes to the slow queue at once."""

_MAX_LIFETIME = BUDGET_PERIOD + PENALTY_SECONDS
_CHARGE = Path(__file__).with_name("charge_budget.lua")


class SlowReason(StrEnum):
    """Why checks run on the slow queue."""

    LIMIT = "limit"
    """They used up their allowance on the fast queue, or their time limit there."""
    KILLED = "killed"
    """They ended their process on the fast queue."""
    INPUT = "input"
    """The same code used up its allowance before."""
    BUDGET = "budget"
    """Their workspace has used up its budget."""


class Budgets:
    """The budgets of all workspaces of one extension.

    Args:
        client: a Redis client that returns bytes.
        prefix: prefix of the extension's keys.
    """

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._prefix = f"{prefix}cpu:"
        self._charge = client.register_script(_CHARGE.read_text())
        self._uncharged: dict[str, float] = {}

    def slow_reason(self, workspace: str, digest: str | None) -> SlowReason | None:
        """Return why the next checks of a workspace go to the slow queue; None if they do not.

        Args:
            workspace: the workspace.
            digest: of the code that they read; None if they read none.
        """
        pipe = self._client.pipeline(transaction=False)
        pipe.pttl(self._budget(workspace))
        pipe.exists(self._input(digest or "-"))
        lifetime, known = cast("tuple[int, int]", pipe.execute())
        if known:
            return SlowReason.INPUT
        return SlowReason.BUDGET if lifetime >= BUDGET_PERIOD * 1000 else None

    def charge(self, workspace: str, cpu_seconds: float) -> None:
        """Subtract CPU seconds from a workspace's budget, once they are `MIN_CHARGE_SECONDS` together."""
        used = self._uncharged.pop(workspace, 0.0) + cpu_seconds
        if used < MIN_CHARGE_SECONDS:
            self._uncharged[workspace] = used
            return
        lifetime = round(used * BUDGET_PERIOD / BUDGET_SECONDS * 1000)
        self._charge(keys=[self._budget(workspace)], args=[lifetime, int(_MAX_LIFETIME * 1000)])

    def penalize(self, workspace: str, digest: str | None) -> None:
        """Take the whole budget of a workspace for PENALTY_SECONDS, and remember the input as slow."""
        pipe = self._client.pipeline(transaction=False)
        pipe.set(self._budget(workspace), b"1", px=int(_MAX_LIFETIME * 1000))
        if digest:
            pipe.set(self._input(digest), b"1", ex=SLOW_INPUT_SECONDS)
        pipe.execute()

    def _budget(self, workspace: str) -> str:
        return f"{self._prefix}budget:{workspace}"

    def _input(self, digest: str) -> str:
        return f"{self._prefix}slow-input:{digest}"
