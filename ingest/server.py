"""The ingest process: the app of its source on its server."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.types import ASGIApp

from common import clock, tracing
from common.ledger import Ledger, connect
from common.log import configure_logging
from ingest.certificates import Certificates, CertificateStore, PinnedCertificate
from ingest.limited_server import new_table, serve
from ingest.metrics import Metrics, QueueMetrics
from ingest.publishers.amqp import AmqpPublisher
from ingest.publishers.base import Publisher
from ingest.publishers.redis import RedisPublisher
from ingest.settings import IngestSettings, QueueIngestSettings, SourceSettings
from ingest.sources import http_app, queue_app

LEDGER_SECONDS = 2.0


def run(settings: IngestSettings, host: str, port: int) -> None:
    """Receive requests until SIGTERM or SIGINT: then finish those in progress, and exit with status 0.

    Args:
        settings: ingest's settings.
        host: address to listen on.
        port: TCP port; 0 for any free port, which the log event `server_started` contains.

    Raises:
        TracingUnusable: traces cannot be exported as an OTEL_… variable says.
    """
    metrics = Metrics()
    app = http_app.create_app(
        settings,
        publisher=_publisher(settings),
        certificates=_certificates(settings),
        ledger=_ledger(settings),
        metrics=metrics,
    )
    _serve(app, settings, metrics, host, port)


def run_queue(settings: QueueIngestSettings, host: str, port: int) -> None:
    """Take messages of a queue until SIGTERM or SIGINT: then finish what is being published, and exit with 0.

    Args:
        settings: ingest's settings, with the source's.
        host: address to serve health, readiness and metrics on.
        port: TCP port; 0 for any free port, which the log event `server_started` contains.

    Raises:
        TracingUnusable: traces cannot be exported as an OTEL_… variable says.
    """
    metrics = QueueMetrics(clock.now())
    app = queue_app.create_app(
        settings, publisher=_publisher(settings), ledger=_ledger(settings), metrics=metrics
    )
    _serve(app, settings, metrics, host, port)


def _serve(app: ASGIApp, settings: SourceSettings, metrics: Metrics, host: str, port: int) -> None:
    configure_logging(settings.log_level, "ingest")
    tracing.configure(settings.trace_ratio, "ingest")
    table = new_table()
    metrics.watch_connections(lambda: len(table))
    try:
        serve(app, host, port, table=table, on_refusal=metrics.count_refusal)
    finally:
        tracing.shut_down()


def _ledger(settings: SourceSettings) -> Ledger:
    client = connect(
        settings.redis_url.get_secret_value(), tls=settings.tls_files, response_seconds=LEDGER_SECONDS
    )
    return Ledger(client, settings.extension_code, event_seconds=settings.event_days * 86400)


def _publisher(settings: SourceSettings) -> Publisher:
    url = settings.broker_url.get_secret_value()
    if urlsplit(url).scheme.startswith("redis"):
        return RedisPublisher(url, settings.topology, tls=settings.tls_files)
    return AmqpPublisher(url, settings.topology, settings.broker_topology, tls=settings.tls_files)


def _certificates(settings: IngestSettings) -> Certificates:
    path = settings.eventbridge_certificate_file
    return CertificateStore() if path is None else PinnedCertificate(path)
