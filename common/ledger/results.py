"""Results of the ledger's operations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from common.events import Event
from common.ledger.record import EventRecord, State
from common.ledger.report_queue import PendingReport
from common.verdicts import Verdict


class StartedAttempt(NamedTuple):
    """A started attempt: the number of attempts of each check including this one, the event, its snapshot."""

    attempts: dict[str, int]
    record: EventRecord
    snapshot: dict[str, Any] | None


class LeaseRequest(NamedTuple):
    """The leases that a caller wants who reports an event at once.

    Attributes:
        owner: of the lease of the event; unique to this attempt.
        seconds: duration of the lease of the event.
        report_seconds: duration of the lease of the report.
    """

    owner: str
    seconds: float
    report_seconds: float


@dataclass(frozen=True, slots=True)
class ReportLease:
    """Result of trying to acquire the report lease of an event.

    Attributes:
        owner: who tried.
        record: the event if the lease was acquired: only the caller may decide and post then. Else None.
        wait: seconds until another owner's lease expires; None if the lease was acquired, or there is nothing
            to report.
    """

    owner: str
    record: EventRecord | None
    wait: float | None = None


class LeasedReport(NamedTuple):
    """A leased report and the lease of its event; both None if no report was waiting.

    Attributes:
        report: the report.
        lease: the lease of its event.
        idle: without a report, the number of idle owners; 0 if the caller is not idle.
    """

    report: PendingReport | None
    lease: ReportLease | None
    idle: int = 0


class FrozenVerdict(NamedTuple):
    """The frozen verdict of a run.

    Attributes:
        verdict: the verdict.
        may_be_answered: whether DataWorks may have accepted a verdict for the event already.
        is_unverified: whether that may be another verdict, which Redis has lost: this one must not be posted
            before DataWorks was asked.
    """

    verdict: Verdict
    may_be_answered: bool
    is_unverified: bool


class MarkResult(IntEnum):
    """Result of recording that DataWorks accepted a verdict."""

    UNKNOWN_EVENT = -1
    """Redis has lost the event."""
    KNOWN_BEFORE = 0
    """An accepted verdict is recorded already."""
    RECORDED = 1


class DueEvents(NamedTuple):
    """The events that must be decided now.

    Attributes:
        message_ids: the events, leased by the caller.
        following_seconds: time until the next one is due; 0 if it is now, None without one.
    """

    message_ids: list[str]
    following_seconds: float | None


@dataclass(frozen=True, slots=True)
class UnplannedEvent:
    """An admitted event without a plan.

    Attributes:
        message_id: the event.
        waiting_since: when it arrived or was requeued, in seconds since the epoch.
        watch_at: when the watchdog decides it.
    """

    message_id: str
    waiting_since: float
    watch_at: float


@dataclass(frozen=True, slots=True)
class RecordResult:
    """The result of recording outcomes.

    Attributes:
        is_complete: every planned check has an outcome, so the report is enqueued.
        is_stale: the outcomes were too late or of an older run, and were not recorded.
        waiting: number of reports that need a token, if `is_complete`.
        lease: the lease of the event that was requested, if `is_complete`; None if none was.
    """

    is_complete: bool
    is_stale: bool
    waiting: int = 0
    lease: ReportLease | None = None


@dataclass(frozen=True, slots=True)
class EventProgress:
    """How far an event is: the little that its page asks for again and again.

    Attributes:
        event: the event.
        state: its state.
        run: its run.
        done: number of outcomes of this run.
        is_accepted: whether DataWorks is known to have accepted a verdict, in whichever run.
    """

    event: Event
    state: State
    run: int
    done: int
    is_accepted: bool

    @classmethod
    def of(cls, record: EventRecord) -> EventProgress:
        """Return the progress of a record."""
        accepted = record.accepted_verdict is not None
        return cls(record.event, record.state, record.run, len(record.outcomes), accepted)
