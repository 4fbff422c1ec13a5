"""The console's process: the web application on its server."""

from __future__ import annotations

import structlog

from common.ledger import Ledger, connect
from console.web.application import create_application
from console.web.settings import ConsoleSettings
from ingest.http_protocol import Refusal
from ingest.limited_server import new_table, serve

RESPONSE_SECONDS = 1.0
"""Seconds to wait for one response of Redis: less than a reader of the pages waits for all of them."""

_log = structlog.get_logger()


def run(settings: ConsoleSettings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT: then finish the requests in progress, and exit with status 0.

    Args:
        settings: the console's settings.
        host: address to listen on.
        port: TCP port; 0 for any free port, which the log event `server_started` contains.
    """
    ledger = Ledger(
        connect(
            settings.redis_url.get_secret_value(), tls=settings.tls_files, response_seconds=RESPONSE_SECONDS
        ),
        settings.extension_code,
        event_seconds=settings.event_days * 86400,
        code_seconds=settings.code_hours * 3600,
    )
    serve(create_application(settings, ledger), host, port, table=new_table(), on_refusal=_log_refusal)


def _log_refusal(refusal: Refusal) -> None:
    _log.debug("request_refused", reason=refusal.value)
