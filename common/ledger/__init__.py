"""The ledger: what is known of each event, in Redis, one key family per (extension code, message id)."""

from common.ledger.answers import Begun, Claim, RecordResult
from common.ledger.connection import connect, prefix
from common.ledger.ledger import Ledger
from common.ledger.record import Record, State, TimelineEntry
from common.ledger.turns import PendingReport

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
