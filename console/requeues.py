"""What a requeue does with a stored event, and doing it, for the command and the console."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum

from common import clock
from common.events import Event
from common.ledger import EventRecord, State
from common.verdicts import Result
from console.output import tables
from workers.dataworks.errors import DataWorksError
from workers.dataworks.models import ProcessStatus
from workers.pipeline import planner
from workers.services import Services

CONNECT_SECONDS = 3.0
CALL_SECONDS = 10.0
"""Timeout of a call of DataWorks."""


class RequeueStep(StrEnum):
    """What a requeue does with an event."""

    RUN = "run"
    RECORD = "record"
    POST = "post"
    LEAVE = "leave"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RequeueAction:
    """A step, and a description of it."""

    step: RequeueStep
    text: str

    @property
    def is_requeued(self) -> bool:
        """Whether the event goes through intake again."""
        return self.step in (RequeueStep.RUN, RequeueStep.RECORD, RequeueStep.POST)


@dataclass(frozen=True, slots=True)
class Rerun:
    """The result of a rerun of an answered event, which is not posted.

    Attributes:
        message_id: the event.
        accepted: the result that DataWorks accepted.
        result: that of the rerun.
    """

    message_id: str
    accepted: Result
    result: Result

    @classmethod
    def of(cls, record: EventRecord) -> Rerun | None:
        """Return the result of an event's rerun; None if it has not ended, or there was none."""
        accepted, rerun = record.accepted_verdict, record.rerun_verdict
        if accepted is None or rerun is None or not record.state.is_final:
            return None
        return cls(record.event.message_id, accepted.result, rerun.result)

    def __str__(self) -> str:
        """Return the result as one line for people."""
        if self.result is self.accepted:
            return f"{self.message_id}: {self.result} again"
        return (
            f"{self.message_id}: DataWorks accepted {self.accepted}, the rerun is {self.result}: not posted"
        )

    def to_json(self) -> dict[str, object]:
        """Return the result as plain JSON."""
        return {
            "message_id": self.message_id,
            "accepted": self.accepted.value,
            "result": self.result.value,
            "is_different": self.result is not self.accepted,
        }


def plan(record: EventRecord | None, *, is_awaited: bool | None = None) -> RequeueAction:
    """Return what a requeue does with an event: a pure function that mirrors the ledger's `reopen`.

    Args:
        record: the event; None if it is unknown.
        is_awaited: of an ignored event, whether DataWorks waits for its verdict; None if that is unknown.
    """
    if record is None:
        return RequeueAction(RequeueStep.UNKNOWN, "unknown event")
    if record.state is State.IGNORED:
        return _plan_ignored(is_awaited)
    if not record.state.is_final:
        return RequeueAction(RequeueStep.LEAVE, "still in progress: unchanged")
    if record.accepted_verdict:
        accepted = record.accepted_verdict
        note = f"{accepted.result} was accepted on {tables.format_time(record.reported_at)}"
        return RequeueAction(
            RequeueStep.RECORD, f"run again; {note}, so a different result is recorded, not posted"
        )
    if record.verdict and record.posting_at and not record.reported_at:
        return RequeueAction(RequeueStep.POST, f"post the frozen verdict again: {record.verdict.result}")
    return RequeueAction(RequeueStep.RUN, "run again")


def _plan_ignored(is_awaited: bool | None) -> RequeueAction:
    match is_awaited:
        case None:
            return RequeueAction(
                RequeueStep.LEAVE, "ignored, and DataWorks cannot be asked whether it waits: unchanged"
            )
        case False:
            return RequeueAction(RequeueStep.LEAVE, "ignored, and DataWorks does not wait for it: unchanged")
        case True:
            return RequeueAction(RequeueStep.RUN, "run: it was ignored, and DataWorks waits for it")


CHANGED_MEANWHILE = RequeueAction(RequeueStep.LEAVE, "requeued concurrently: unchanged")


class Requeuer:
    """Requeues events.

    Args:
        services: of this process.
    """

    def __init__(self, services: Services) -> None:
        self.services = services

    def plan(self, record: EventRecord | None) -> RequeueAction:
        """Return what a requeue does with an event; DataWorks is asked about ignored ones."""
        return plan(record, is_awaited=self._is_awaited(record))

    def reach_broker(self) -> None:
        """Connect to the broker once; raises its errors."""
        with self.services.app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=CONNECT_SECONDS)

    def reopen(self, event: Event, *, actor: str, reason: str) -> bool:
        """Start a new run of an event in the ledger, and record it in the audit trail.

        Args:
            event: the event.
            actor: who requeues it.
            reason: why.

        Returns:
            Whether it was started; not if the event has changed meanwhile.
        """
        now = clock.now()
        deadline_at, watch_at = planner.deadline_for(event, self.services.policy, admitted_at=now)
        ledger = self.services.ledger
        return ledger.reopen(event.message_id, deadline_at, watch_at, actor=actor, reason=reason) > 0

    def send(self, event: Event) -> None:
        """Send a reopened event to intake."""
        self.services.dispatch.send_events(event)

    def _is_awaited(self, record: EventRecord | None) -> bool | None:
        """Whether DataWorks waits for the verdict of an ignored event; None if unknown, or not ignored."""
        if record is None or record.state is not State.IGNORED:
            return None
        event = record.event
        logging.disable()  # The SDK logs missing credentials.
        try:
            processes = self.services.dataworks.check_processes(
                event.event_code,
                project_id=event.project_id,
                message_id=event.message_id,
                deadline=clock.now() + CALL_SECONDS,
            )
        except DataWorksError:
            return None
        finally:
            logging.disable(logging.NOTSET)
        return any(process.status == ProcessStatus.CHECKING for process in processes)
