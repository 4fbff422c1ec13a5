"""`dwgate ingest`: runs ingest until SIGTERM."""

from __future__ import annotations

import typer

from common.log import configure_logging
from common.settings import load_settings
from console.diagnoses.unknown_settings import log_unknown_settings
from console.engine_access import require_access
from console.options import Host, Port, require_free_port
from ingest.server import run
from ingest.settings import IngestSettings

app = typer.Typer(add_completion=False)


@app.command()
def command(host: Host = "127.0.0.1", port: Port = 8080) -> None:
    """Receive events from EventBridge and enqueue them."""
    settings = load_settings(IngestSettings)
    configure_logging(settings.log_level, "ingest")
    log_unknown_settings()
    require_access(settings)
    require_free_port(host, port)
    run(settings, host, port)
