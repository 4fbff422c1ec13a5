"""`dwgate flower`: runs Flower until SIGTERM."""

from __future__ import annotations

import typer

from common.log import configure_logging
from common.settings import load_settings
from console.diagnoses.unknown_settings import log_unknown_settings
from console.engine_access import require_broker_access
from console.flower.server import run
from console.flower.settings import FlowerSettings
from console.options import Host, Port, require_free_port

app = typer.Typer(add_completion=False)


@app.command()
def command(host: Host = "127.0.0.1", port: Port = 5555) -> None:
    """Serve Flower, the web pages of workers and tasks."""
    settings = load_settings(FlowerSettings)
    configure_logging(settings.log_level, "flower")
    log_unknown_settings()
    require_broker_access(settings)
    require_free_port(host, port)
    run(settings, host, port)
