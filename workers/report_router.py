"""Decides where a verdict is posted: inline, in the process that completed the event, or by the reporters."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import structlog

from common.ledger import Ledger, RecordResult
from common.ledger.report_queue import MAX_TOKENS
from common.verdicts import Outcome
from workers.dataworks.errors import DataWorksError, Throttled
from workers.dispatch import Dispatch
from workers.reporter import REPORT_LEASE_SECONDS, Attempt
from workers.task_base import TRANSIENT_ERRORS

MAX_BUSY = 8
"""Tasks at once above which a process leaves verdicts to the reporters: they compute on another core."""

THROTTLE_BACKOFF = 0.5
"""Seconds without a try to post inline after the quota was used up."""

log = structlog.get_logger()


class ReportRouter:
    """The one place that decides whether a verdict is posted inline or enqueued.

    Args:
        ledger: where outcomes are recorded and reports are enqueued.
        dispatch: publishes the tokens that call a reporter.
        post: decides and posts an event's verdict (message id, run) within a short time.
        is_io_pool: whether the process is made for waiting.
        busy: returns how many tasks the process works on.
    """

    def __init__(
        self,
        ledger: Ledger,
        dispatch: Dispatch,
        post: Callable[[str, int], Attempt],
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
        """Record outcomes; when they complete the event, post its verdict or leave it to the reporters.

        The report is enqueued in the step that records the last outcome: whatever dies next, it is posted.
        """
        inline = self.can_post_inline()
        lease_seconds = REPORT_LEASE_SECONDS if inline else 0
        result = self._ledger.record_outcomes(message_id, run, outcomes, lease_seconds=lease_seconds)
        if result.is_complete and inline:
            self._post_or_enqueue(message_id, run)
        elif result.is_complete:
            self._publish_token(result.waiting)
        return result

    def finish(self, message_id: str, run: int) -> None:
        """Post the verdict of an event whose outcomes are all recorded, or leave it to the reporters."""
        if self.can_post_inline():
            self._post_or_enqueue(message_id, run)
        else:
            self.enqueue(message_id, run)

    def enqueue(self, message_id: str, run: int, *, end_lease: bool = False) -> None:
        """Leave a verdict to the reporters; `end_lease` ends a lease of this process."""
        waiting = self._ledger.enqueue_report(message_id, run, end_lease=end_lease)
        if waiting is not None:
            self._publish_token(waiting)

    def can_post_inline(self) -> bool:
        """Whether this process is made for waiting, and has time to post a verdict."""
        return self._is_io_pool and self._busy() <= MAX_BUSY and time.monotonic() >= self._throttled_until

    def _post_or_enqueue(self, message_id: str, run: int) -> None:
        try:
            if self._post(message_id, run).is_done:
                return
        except DataWorksError as error:
            log.info("not_posted_inline", error=error.code)
            if isinstance(error, Throttled):
                self._throttled_until = time.monotonic() + THROTTLE_BACKOFF
        self.enqueue(message_id, run, end_lease=True)

    def _publish_token(self, waiting: int) -> None:
        if waiting > MAX_TOKENS:
            return
        try:
            self._dispatch.report_token()
        except (*TRANSIENT_ERRORS, OSError) as error:
            # The report is in the queue: the watchdog issues the token again, or posts by itself.
            log.warning("token_not_published", error=type(error).__name__)
