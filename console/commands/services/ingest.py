"""`dwgate ingest`: runs ingest until SIGTERM."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from common.log import configure_logging
from common.settings import load_settings
from console.diagnoses.unknown_settings import log_unknown_settings
from console.engine_access import require_access, require_source_access
from console.options import Host, Port, require_free_port
from ingest.server import run, run_queue
from ingest.settings import IngestSettings, QueueIngestSettings, SourceSettings


class Source(StrEnum):
    """Where EventBridge delivers events: to ingest over HTTP, or to a queue of RabbitMQ."""

    HTTP = "http"
    AMQP = "amqp"


app = typer.Typer(add_completion=False)


@app.command()
def command(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    source: Annotated[
        Source,
        typer.Option(
            help="http: EventBridge sends requests; amqp: it writes to the queue of DWGATE_SOURCE_URL."
        ),
    ] = Source.HTTP,
) -> None:
    """Receive events from EventBridge and enqueue them."""
    if source is Source.HTTP:
        settings = load_settings(IngestSettings)
        _prepare(settings, host, port)
        run(settings, host, port)
    else:
        queue_settings = load_settings(QueueIngestSettings)
        _prepare(queue_settings, host, port)
        require_source_access(queue_settings)
        run_queue(queue_settings, host, port)


def _prepare(settings: SourceSettings, host: str, port: int) -> None:
    configure_logging(settings.log_level, "ingest")
    log_unknown_settings()
    require_access(settings)
    require_free_port(host, port)
