"""The HTTP server of a worker: `/metrics`, `/healthz` and `/readyz`."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import structlog

from workers.process import health
from workers.process.health import Health

log = structlog.get_logger()


def render(folder: str, pids: Callable[[], Mapping[str, int]]) -> bytes:
    """Return the metrics of a worker in Prometheus' text format.

    Args:
        folder: where its processes write their metrics; those of all processes are summed.
        pids: returns the pid of each group's process.
    """
    # Imported here since the library reads PROMETHEUS_MULTIPROC_DIR at import.
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    from workers.process.monitoring.process_metrics import ProcessMetrics  # noqa: PLC0415

    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
    registry.register(ProcessMetrics(pids))
    return generate_latest(registry)


def listen(
    host: str,
    port: int,
    folder: str,
    processes: Callable[[], list[Health]],
    pids: Callable[[], Mapping[str, int]],
) -> ThreadingHTTPServer:
    """Open the port, and return the server, which answers once its `serve_forever` runs.

    Args:
        host: address that the port is opened on.
        port: the port; 0 for a free one.
        folder: where the processes write their metrics.
        processes: returns the health of the worker's processes.
        pids: returns the pid of each group's process.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Serve the three paths."""
            if self.path == "/metrics":
                from workers.process.monitoring.metric_series import create_series  # noqa: PLC0415

                create_series()
                self._answer(200, render(folder, pids))
            elif self.path in ("/healthz", "/readyz"):
                is_good, text = health.describe(processes(), readiness=self.path == "/readyz")
                self._answer(200 if is_good else 503, text.encode())
            else:
                self._answer(404, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Do not log requests."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    server = Server((host, port), Handler)
    shown = f"[{host}]" if ":" in host else host
    log.info("metrics_server_started", url=f"http://{shown}:{server.server_port}/metrics")
    return server
