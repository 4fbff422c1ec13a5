"""The ledger: what is known of each event, in Redis, one key family per (extension code, message id)."""

from common.ledger.record import Record, State, TimelineEntry
from common.ledger.redis_client import connect, prefix
from common.ledger.report_queue import PendingReport
from common.ledger.results import Begun, Claim, RecordResult
from common.ledger.store import Ledger

__all__ = [
    "Begun",
    "Claim",
    "Ledger",
    "PendingReport",
    "Record",
    "RecordResult",
    "State",
    "TimelineEntry",
    "connect",
    "prefix",
]
