"""What the ledger's steps answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from common.ledger.record import EventRecord


class StartedAttempt(NamedTuple):
    """An attempt at checks: the attempts at each so far, this one too, the event, and its snapshot."""

    attempts: dict[str, int]
    record: EventRecord
    snapshot: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class ReportLease:
    """The answer to a wish to report an event.

    Attributes:
        record: the event, when the lease was given; the caller alone may decide and post.
        wait: seconds until the lease ends, when another holds it; None when there is nothing to report.
    """

    record: EventRecord | None
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class RecordResult:
    """The result of recording outcomes.

    Attributes:
        is_complete: every planned check has an outcome, so the report is enqueued.
        is_stale: they came too late.
        waiting: how many reports wait when `is_complete`.
    """

    is_complete: bool
    is_stale: bool
    waiting: int = 0
