"""The ingest process: the app on its server."""

from __future__ import annotations

from urllib.parse import urlsplit

from common import tracing
from common.ledger import Ledger, connect
from common.log import configure_logging
from ingest.certificates import Certificates, CertificateStore, PinnedCertificate
from ingest.limited_server import new_table, serve
from ingest.metrics import Metrics
from ingest.publishers.amqp import AmqpPublisher
from ingest.publishers.base import Publisher
from ingest.publishers.redis import RedisPublisher
from ingest.settings import IngestSettings
from ingest.sources.http_app import create_app

LEDGER_SECONDS = 2.0


def run(settings: IngestSettings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT: then finish the requests in progress, and exit with status 0.

    Args:
        settings: ingest's settings.
        host: address to listen on.
        port: TCP port; 0 for any free port, which the log event `server_started` contains.

    Raises:
        TracingUnusable: traces cannot be exported as an OTEL_… variable says.
    """
    configure_logging(settings.log_level, "ingest")
    tracing.configure(settings.trace_ratio, "ingest")
    redis_url = settings.redis_url.get_secret_value()
    ledger = Ledger(
        connect(redis_url, tls=settings.tls_files, response_seconds=LEDGER_SECONDS),
        settings.extension_code,
        event_seconds=settings.event_days * 86400,
    )
    metrics = Metrics()
    app = create_app(
        settings,
        publisher=_publisher(settings),
        certificates=_certificates(settings),
        ledger=ledger,
        metrics=metrics,
    )
    table = new_table()
    metrics.watch_connections(lambda: len(table))
    try:
        serve(app, host, port, table=table, on_refusal=metrics.count_refusal)
    finally:
        tracing.shut_down()


def _publisher(settings: IngestSettings) -> Publisher:
    url = settings.broker_url.get_secret_value()
    if urlsplit(url).scheme.startswith("redis"):
        return RedisPublisher(url, settings.topology, tls=settings.tls_files)
    return AmqpPublisher(url, settings.topology, settings.broker_topology, tls=settings.tls_files)


def _certificates(settings: IngestSettings) -> Certificates:
    path = settings.eventbridge_certificate_file
    return CertificateStore() if path is None else PinnedCertificate(path)
