"""`dwgate flower`: runs Flower until SIGTERM."""

from __future__ import annotations

import typer

from common.settings import load_settings
from console.flower import FlowerSettings, run
from console.options import Host, Port

app = typer.Typer(add_completion=False)


@app.command()
def command(host: Host = "127.0.0.1", port: Port = 5555) -> None:
    """Serve Flower, the web pages of workers and tasks."""
    run(load_settings(FlowerSettings), host, port)
