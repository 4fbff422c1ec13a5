"""Decides where a verdict is posted: inline, in the process that completed the event, or by the reporters."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import structlog

from common.ledger import Ledger, RecordResult, ReportLease
from common.ledger.report_queue import MAX_TOKENS
from common.verdicts import Outcome
from workers.broker.dispatch import Dispatch
from workers.dataworks.errors import DataWorksError, Throttled
from workers.reporter import Attempt, request_lease
from workers.task_base import TRANSIENT_ERRORS

MAX_BUSY = 8
"""Running tasks above which a process enqueues verdicts for the reporters, which run on another core."""

THROTTLE_BACKOFF = 0.5
"""Seconds without inline posts after the quota was exhausted."""

log = structlog.get_logger()


class ReportRouter:
    """Decides whether a verdict is posted inline or enqueued.

    Args:
        ledger: where outcomes are recorded and reports are enqueued.
        dispatch: publishes the tokens that wake up a reporter.
        post: decides and posts an event's verdict (message id, run, and its lease if this process has tried
            to acquire it) within a short time.
        is_io_pool: whether the process has a thread pool for I/O-bound work.
        busy: returns the number of tasks that the process is running.
    """

    def __init__(
        self,
        ledger: Ledger,
        dispatch: Dispatch,
        post: Callable[[str, int, ReportLease | None], Attempt],
        *,
        is_io_pool: bool,
        busy: Callable[[], int],
    ) -> None:
        self._ledger = ledger
        self._dispatch = dispatch
        self._post = post
        self._is_io_pool = is_io_pool
        self._busy = busy
        self._throttled_until = 0.0

    def record(self, message_id: str, run: int, outcomes: Mapping[str, Outcome]) -> RecordResult:
        """Record outcomes; when they complete the event, post its verdict inline or wake up a reporter.

        The report is enqueued atomically with the last outcome, so it is posted whatever fails afterwards.
        """
        request = request_lease() if self.can_post_inline() else None
        result = self._ledger.record_outcomes(message_id, run, outcomes, request=request)
        if result.is_complete and result.lease:
            self._post_or_enqueue(message_id, run, result.lease)
        elif result.is_complete:
            self._publish_token(result.waiting)
        return result

    def finish(self, message_id: str, run: int) -> None:
        """Post the verdict of an event whose outcomes are complete, or enqueue it for the reporters."""
        if self.can_post_inline():
            self._post_or_enqueue(message_id, run)
        else:
            self.enqueue(message_id, run)

    def enqueue(self, message_id: str, run: int, *, end_lease: bool = False) -> None:
        """Enqueue a verdict for the reporters; `end_lease` ends this process's lease of it."""
        waiting = self._ledger.enqueue_report(message_id, run, end_lease=end_lease)
        if waiting is not None:
            self._publish_token(waiting)

    def can_post_inline(self) -> bool:
        """Whether this process may post a verdict itself: it is I/O-bound, not busy and not throttled."""
        return self._is_io_pool and self._busy() <= MAX_BUSY and time.monotonic() >= self._throttled_until

    def _post_or_enqueue(self, message_id: str, run: int, lease: ReportLease | None = None) -> None:
        try:
            if self._post(message_id, run, lease).is_done:
                return
        except DataWorksError as error:
            log.info("inline_post_deferred", error=error.code)
            if isinstance(error, Throttled):
                self._throttled_until = time.monotonic() + THROTTLE_BACKOFF
        self.enqueue(message_id, run, end_lease=True)

    def _publish_token(self, waiting: int) -> None:
        if not 0 < waiting <= MAX_TOKENS:
            return
        try:
            self._dispatch.report_token()
        except (*TRANSIENT_ERRORS, OSError) as error:
            # The report is enqueued: the watchdog publishes the token again, or posts by itself.
            log.warning("token_publish_failed", error=type(error).__name__)
