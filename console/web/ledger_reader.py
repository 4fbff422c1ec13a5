"""Reads the ledger for the pages: in threads, with a time limit that holds whatever Redis does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread
import redis
import structlog

from common.errors import DwgateError
from common.ledger import Ledger

READ_SECONDS = 1.5
"""Maximum seconds of one read; so a page without a ledger is there within two."""

MAX_THREADS = 16
"""Maximum number of reads at once; those that hang keep their thread until Redis' own time limit."""

Found = TypeVar("Found")

_log = structlog.get_logger()


class LedgerUnavailable(DwgateError):
    """Redis did not answer in time, or it does not serve."""


class LedgerReader:
    """The ledger for coroutines.

    Args:
        ledger: the ledger.
        seconds: maximum seconds of one read.
    """

    def __init__(self, ledger: Ledger, *, seconds: float = READ_SECONDS) -> None:
        self.ledger = ledger
        self._seconds = seconds
        self._threads: anyio.CapacityLimiter | None = None

    async def read(self, call: Callable[[Ledger], Found]) -> Found:
        """Return what `call` returns for the ledger.

        Raises:
            LedgerUnavailable: Redis did not answer in time, or it does not serve.
        """
        if self._threads is None:  # a limiter belongs to an event loop
            self._threads = anyio.CapacityLimiter(MAX_THREADS)
        try:
            async with asyncio.timeout(self._seconds):
                return await anyio.to_thread.run_sync(
                    call, self.ledger, abandon_on_cancel=True, limiter=self._threads
                )
        except (redis.RedisError, TimeoutError, OSError) as error:
            _log.warning("ledger_unavailable", error=type(error).__name__)
            raise LedgerUnavailable("Redis does not answer") from error
