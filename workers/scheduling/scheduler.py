"""Decides on which queue the CPU checks of an event run, and accounts for what they use.

All start on the fast queue, `dwgate.checks.cpu`, with a small allowance of CPU time. What needs more, or
belongs to a workspace that used up its budget, runs on the slow queue, `dwgate.checks.slow`, with processes
of its own. See docs/decisions/fair-scheduling.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from common.ledger import EventRecord, Ledger, key_prefix
from workers import metrics
from workers.broker.dispatch import Dispatch
from workers.scheduling.budgets import Budgets, SlowReason
from workers.scheduling.slow_queue import SlowChecks, SlowQueue

FAST_SECONDS = 0.25
"""CPU seconds that the checks of one event may use on the fast queue."""

log = structlog.get_logger()


class Scheduler:
    """Schedules the CPU checks of one extension.

    Args:
        ledger: where it is recorded that checks were moved.
        dispatch: publishes their messages.
    """

    def __init__(self, ledger: Ledger, dispatch: Dispatch) -> None:
        prefix = key_prefix(ledger.extension_code)
        self._ledger = ledger
        self._dispatch = dispatch
        self._budgets = Budgets(ledger.client, prefix)
        self._slow_queue = SlowQueue(ledger.client, prefix)

    def slow_reason(self, record: EventRecord, snapshot: Mapping[str, Any] | None) -> SlowReason | None:
        """Return why the checks of an event must run on the slow queue; None if the fast one is right."""
        return self._budgets.slow_reason(workspace_of(record), input_digest(snapshot))

    def charge(self, workspace: str, cpu_seconds: float) -> None:
        """Subtract what checks used from the budget of their workspace."""
        self._budgets.charge(workspace, cpu_seconds)

    def penalize(self, record: EventRecord, snapshot: Mapping[str, Any] | None) -> None:
        """Keep the event's code, and for a while its workspace, off the fast queue."""
        self._budgets.penalize(workspace_of(record), input_digest(snapshot))
        log.warning("fast_queue_closed", message_id=record.event.message_id, workspace=workspace_of(record))

    def move(
        self, record: EventRecord, run: int, checks: Sequence[str], deadline: float, reason: SlowReason
    ) -> None:
        """Move checks of an event to the slow queue; safe to repeat.

        Checks that are known to take long run one per message, so that each has a time limit of its own.
        """
        if not checks or not self._ledger.mark_slow(record.event.message_id, run, reason.value, checks):
            return
        metrics.SLOW_CHECKS.labels(reason.value).inc(len(checks))
        workspace = workspace_of(record)
        groups = [tuple(checks)] if reason is SlowReason.BUDGET else [(check,) for check in checks]
        for position, group in enumerate(groups):
            moved = SlowChecks(record.event.message_id, run, group, deadline)
            if self._slow_queue.enter(workspace, moved, position):
                self._publish(workspace, moved)

    def finish(self, workspace: str, checks: SlowChecks) -> None:
        """Remove finished checks from the slow queue and publish the next ones of their workspace."""
        if following := self._slow_queue.leave(workspace, checks):
            self._publish(workspace, following)

    def recover(self) -> int:
        """Publish messages again that were lost; return the number of entries in the slow queue."""
        for workspace, checks in self._slow_queue.lost():
            self._publish(workspace, checks)
        return self._slow_queue.waiting()

    def _publish(self, workspace: str, checks: SlowChecks) -> None:
        self._dispatch.send_slow_checks(
            checks.message_id, checks.run, checks.checks, workspace, checks.deadline
        )


def workspace_of(record: EventRecord) -> str:
    """Return the workspace that an event is charged to."""
    return "-" if record.event.project_id is None else str(record.event.project_id)


def input_digest(snapshot: Mapping[str, Any] | None) -> str | None:
    """Return a digest of the code in the snapshot of an operation; None if there is none."""
    file = snapshot.get("file") if snapshot else None
    if not file or not file.get("content"):
        return None
    return hashlib.sha256(file["content"].encode("utf-8", "surrogatepass")).hexdigest()
