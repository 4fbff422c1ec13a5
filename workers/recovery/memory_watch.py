"""Watches the memory of Redis, and has the ledger remove old data before it is full."""

from __future__ import annotations

import math
import threading
import time

import structlog

from common.ledger.memory import LedgerMemory, Shed
from workers import metrics
from workers.recovery.engine_loop import run_until_stopped
from workers.services import Services

POLL_SECONDS = 2.0

DAYS_SECONDS = 60.0
"""Seconds between two computations of the days that fit."""

log = structlog.get_logger()


def run(services: Services, stop: threading.Event) -> None:
    """Watch until `stop` is set. All watchdogs do, since a full Redis accepts no lead."""
    watch = MemoryWatch(LedgerMemory(services.ledger))
    run_until_stopped(watch.check, stop, component="memory_watch", every=POLL_SECONDS)


class MemoryWatch:
    """Sets the metrics of memory and removes data.

    Args:
        memory: of the ledger.
    """

    def __init__(self, memory: LedgerMemory) -> None:
        self._memory = memory
        self._next_days = 0.0

    def check(self) -> Shed:
        """Set the metrics, and remove data if too much memory is used; return what was removed."""
        use = self._memory.use()
        metrics.REDIS_MEMORY.labels("used").set(use.used)
        metrics.REDIS_MEMORY.labels("maximum").set(use.maximum)
        if time.monotonic() >= self._next_days:
            self._next_days = time.monotonic() + DAYS_SECONDS
            days = self._memory.days_that_fit(use)
            metrics.REDIS_DAYS.set(math.inf if days is None else days)
        shed = self._memory.shed(use)
        if shed.codes or shed.events:
            metrics.SHED.labels("code").inc(shed.codes)
            metrics.SHED.labels("event").inc(shed.events)
            log.error("ledger_shed", codes=shed.codes, events=shed.events, used=round(use.share, 3))
        return shed
