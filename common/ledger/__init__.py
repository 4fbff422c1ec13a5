"""The ledger: the state of every event, in Redis, with one set of keys per extension code and message id."""

from common.processes import redis_import  # noqa: F401 - before the first other import of redis

# isort: split

from common.ledger.audit_trail import AuditAction, AuditEntry, AuditTrail, FileState
from common.ledger.queries.search import Cursor, CursorInvalid, EventPage, EventQuery
from common.ledger.record import EventRecord, State
from common.ledger.redis_client import connect, key_prefix
from common.ledger.report_queue import PendingReport
from common.ledger.results import (
    DueEvents,
    EventProgress,
    FrozenVerdict,
    LeasedReport,
    LeaseRequest,
    MarkResult,
    RecordResult,
    ReportLease,
    StartedAttempt,
    UnplannedEvent,
)
from common.ledger.store import Ledger
from common.ledger.timeline import RunState, RunVerdict, TimelineEntry

__all__ = [
    "AuditAction",
    "AuditEntry",
    "AuditTrail",
    "Cursor",
    "CursorInvalid",
    "DueEvents",
    "EventPage",
    "EventProgress",
    "EventQuery",
    "EventRecord",
    "FileState",
    "FrozenVerdict",
    "LeaseRequest",
    "LeasedReport",
    "Ledger",
    "MarkResult",
    "PendingReport",
    "RecordResult",
    "ReportLease",
    "RunState",
    "RunVerdict",
    "StartedAttempt",
    "State",
    "TimelineEntry",
    "UnplannedEvent",
    "connect",
    "key_prefix",
]
