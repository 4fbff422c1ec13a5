"""The order of intake under load: events that had to wait are planned by their deadline.

The queues of a broker are first in, first out. When events wait there for longer than LAG_SECONDS, intake
only admits them, which is quick, and enqueues them in the ledger's plan queue. So the broker's queue becomes
short, and a *token* (a message without an event) lets a process plan the event with the nearest deadline in
the whole fleet, and the next one, until SERVE_SECONDS have passed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import structlog

from common import clock
from common.ledger import EventRecord, Ledger, PendingReport
from common.ledger.report_queue import ReportQueue
from workers.broker.dispatch import Dispatch
from workers.task_base import TRANSIENT_ERRORS, error_location

LAG_SECONDS = 2.0
"""Age of an event at its admission above which intake has a backlog."""

SERVE_SECONDS = 1.0
"""Time budget of one token; then messages that arrived meanwhile are admitted."""

MAX_TOKENS = 16
"""Tokens in the broker at a time."""

LEASE_SECONDS = 15.0
"""Time after which an event is planned by another process, since the first one was killed."""

RETRY_SECONDS = 2.0
"""Time after which an event is planned again that met a transient fault."""

Plan = Callable[[EventRecord, bool], None]
"""Plans an event and dispatches its checks. Its second argument: whether the process that planned the event
before was ended."""

log = structlog.get_logger()


class PlanRouter:
    """Decides whether events are planned at once, and serves the plan queue.

    Args:
        ledger: the events.
        dispatch: publishes the tokens.
    """

    def __init__(self, ledger: Ledger, dispatch: Dispatch) -> None:
        self._ledger = ledger
        self._dispatch = dispatch
        self._busy_until = 0.0

    @property
    def queue(self) -> ReportQueue:
        """The plan queue."""
        return self._ledger.plans

    def defer(self, records: Sequence[EventRecord]) -> bool:
        """Enqueue admitted events if intake has a backlog; return whether that was done."""
        oldest = min((record.event.received_at for record in records), default=clock.now())
        if clock.now() - oldest <= LAG_SECONDS and not self._has_backlog():
            return False
        entries = [
            PendingReport(record.event.message_id, record.run, record.watch_at)
            for record in records
            if not record.state.is_final
        ]
        waiting = self.queue.enqueue(entries)
        self._note_backlog()
        if waiting <= MAX_TOKENS + len(entries):
            for _ in range(min(waiting, len(entries), MAX_TOKENS)):
                self._dispatch.plan_token()
        return True

    def serve(self, plan: Plan, owner: str, *, is_redelivery: bool = False) -> bool:
        """Plan waiting events, nearest deadline first; return whether more may be waiting.

        Args:
            plan: plans one event and dispatches its checks; safe to repeat.
            owner: id of the token.
            is_redelivery: whether an earlier delivery of the token may have ended its process.
        """
        limit = time.monotonic() + SERVE_SECONDS
        while time.monotonic() < limit:
            entry = self.queue.lease(owner, LEASE_SECONDS, is_redelivery=is_redelivery)
            is_redelivery = False
            if entry is None:
                return False
            self._note_backlog()
            with structlog.contextvars.bound_contextvars(message_id=entry.message_id):
                self._plan(plan, entry)
        return True

    def _plan(self, plan: Plan, entry: PendingReport) -> None:
        record = self._ledger.get(entry.message_id)
        if record is not None and record.run == entry.run:
            try:
                plan(record, entry.is_takeover)
            except TRANSIENT_ERRORS as error:
                log.warning("plan_interrupted", error=type(error).__name__, attempts=entry.attempts)
                self.queue.retry_later(entry, RETRY_SECONDS)
                return
            except Exception as error:  # noqa: BLE001 - one event must not block the others
                log.error("plan_failed", error=type(error).__name__, at=error_location(error))
        self.queue.remove(entry)

    def _has_backlog(self) -> bool:
        return time.monotonic() < self._busy_until and self.queue.has_waiting()

    def _note_backlog(self) -> None:
        self._busy_until = time.monotonic() + 2 * LAG_SECONDS
