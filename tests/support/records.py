"""Ledger records for tests of code that displays or evaluates them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from common.events import Event
from common.ledger import EventRecord, State
from common.verdicts import Reason, Result, Verdict
from tests.support.plans import plan_of

EVENT = Event(
    message_id="e-1",
    event_code="commit-file",
    project_id=93124,
    operator="1923456789012735",
    blocking=True,
    data={},
    received_at=1_780_000_000.0,
)
VERDICT = Verdict(Result.FAIL, "FAIL: fix it", Reason.COMPLETE, 1_780_000_001.0)

_RECORD = EventRecord(
    event=EVENT,
    state=State.RECEIVED,
    run=1,
    deliveries=1,
    admitted_at=1_780_000_000.1,
    deadline_at=1_780_000_060.0,
    watch_at=1_780_000_048.0,
    plan=None,
    outcomes={},
    attempts={},
    verdict=None,
    posting_at=None,
    reported_at=None,
    accepted_verdict=None,
    timeline=(),
)


def record(state: State, *checks: str, **fields: Any) -> EventRecord:
    """Return a record in `state` with `checks` in its plan."""
    return replace(_RECORD, state=state, plan=plan_of(*checks) if checks else None, **fields)
