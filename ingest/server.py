"""The ingest process: uvicorn with the app."""

from __future__ import annotations

import gc
import socket
from urllib.parse import urlsplit

import structlog
import uvicorn

from common.ledger import Ledger, connect
from common.log import configure_logging
from ingest.app import create_app
from ingest.certificates import Certificates, CertificateStore, PinnedCertificate
from ingest.publishers.amqp import AmqpPublisher
from ingest.publishers.base import Publisher
from ingest.publishers.redis import RedisPublisher
from ingest.settings import IngestSettings

GRACE_SECONDS = 10
"""Maximum seconds for requests in progress to finish at shutdown."""

LEDGER_SECONDS = 2.0

_log = structlog.get_logger()


def run(settings: IngestSettings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        settings: ingest's settings.
        host: address to listen on.
        port: TCP port; 0 for any free port, which the log event `listening` contains.
    """
    configure_logging(settings.log_level, "ingest")
    redis_url = settings.redis_url.get_secret_value()
    ledger = Ledger(
        connect(redis_url, tls=settings.tls_files, response_seconds=LEDGER_SECONDS),
        settings.extension_code,
        event_seconds=settings.event_days * 86400,
    )
    app = create_app(
        settings, publisher=_publisher(settings), certificates=_certificates(settings), ledger=ledger
    )
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        server_header=False,
        log_config=None,
        log_level="warning",
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    _Server(config).run()


class _Server(uvicorn.Server):
    """A uvicorn server that logs the address on which it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _freeze_gc()
        for server in self.servers:
            for listener in server.sockets:
                _log.info("server_started", url=_url(listener))


def _freeze_gc() -> None:
    """Move everything loaded so far out of the garbage collector's reach, and collect less often.

    Modules and settings live until the process exits, so repeated scans of them are wasted.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _publisher(settings: IngestSettings) -> Publisher:
    url = settings.broker_url.get_secret_value()
    if urlsplit(url).scheme.startswith("redis"):
        return RedisPublisher(url, tls=settings.tls_files)
    return AmqpPublisher(url, settings.broker_topology, tls=settings.tls_files)


def _certificates(settings: IngestSettings) -> Certificates:
    path = settings.eventbridge_certificate_file
    return CertificateStore() if path is None else PinnedCertificate(path)
