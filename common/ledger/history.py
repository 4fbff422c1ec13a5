"""The history of the ledger's Redis, and what this process has seen of it.

Redis may forget steps that it acknowledged: a crash loses what the append-only file does not contain yet, a
failover what the replica had not received, and a server without persistence everything. The scripts detect
this (`history.lua`).
"""

from __future__ import annotations

import structlog

CLOCK_TOLERANCE_SECONDS = 30.0
"""Events that arrived up to this long after another history began may be older: clocks differ."""

MIN_LOST_LEASE_SECONDS = 3.0
"""Minimum time for which a lost lease is respected, however near the deadline is."""

log = structlog.get_logger()


class SeenHistory:
    """The history that this process has seen last.

    Args:
        prefix: prefix of the extension's keys.
    """

    def __init__(self, prefix: str) -> None:
        self.key = f"{prefix}history"
        self.token = b""

    def update(self, token: bytes) -> None:
        """Remember the history that a script returned, and log if it began with a loss."""
        if token == self.token:
            return
        if token.endswith(b" 1"):
            log.warning("ledger_history_lost", known_before=bool(self.token))
        elif not token:
            log.warning("ledger_history_unknown", expected="permission for the command INFO of Redis")
        self.token = token
