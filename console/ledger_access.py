"""Opens the ledger for commands that only read or change stored events."""

from __future__ import annotations

from common.ledger import Ledger, connect
from common.settings import LedgerSettings


def open_ledger(settings: LedgerSettings) -> Ledger:
    """Return the ledger of the extension in `settings`; nothing is connected yet."""
    client = connect(settings.redis_url.get_secret_value(), tls=settings.tls_files)
    return Ledger(client, settings.extension_code)
