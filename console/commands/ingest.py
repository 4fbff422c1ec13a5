"""`dwgate ingest`: runs ingest until SIGTERM."""

from __future__ import annotations

import typer

from common.settings import load_settings
from console.options import Host, Port
from ingest.server import run
from ingest.settings import IngestSettings

app = typer.Typer(add_completion=False)


@app.command()
def command(host: Host = "127.0.0.1", port: Port = 8080) -> None:
    """Receive events from EventBridge and enqueue them."""
    run(load_settings(IngestSettings), host, port)
