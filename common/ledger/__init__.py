"""The ledger: what is known of each event, in Redis, one key family per (extension code, message id)."""

from common.ledger.connection import connect
from common.ledger.ledger import Claim, Ledger, Recorded
from common.ledger.record import Record, State, TimelineEntry

__all__ = ["Claim", "Ledger", "Record", "Recorded", "State", "TimelineEntry", "connect"]
