"""What the ledger's steps answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from common.ledger.record import Record


class Begun(NamedTuple):
    """An attempt at checks: the attempts at each so far, this one too, the event, and its snapshot."""

    attempts: dict[str, int]
    record: Record
    snapshot: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Claim:
    """The answer to a wish to report an event.

    Attributes:
        record: the event, when the lease was given; the caller alone may decide and post.
        wait: seconds until the lease ends, when another holds it; None when there is nothing to report.
    """

    record: Record | None
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class RecordResult:
    """The result of recording outcomes.

    Attributes:
        complete: every planned check has an outcome, so the report is enqueued.
        stale: they came too late.
        waiting: how many reports wait when `complete`.
    """

    complete: bool
    stale: bool
    waiting: int = 0
