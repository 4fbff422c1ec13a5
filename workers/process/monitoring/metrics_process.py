"""The process of a worker that serves its metrics, and its liveness and readiness."""

from __future__ import annotations

import signal
import time
from http.server import ThreadingHTTPServer
from multiprocessing.process import BaseProcess

from common.processes.parent_death import end_with_parent
from workers.process.forks import Forks

RESTART_SECONDS = 1.0
"""Minimum seconds between two starts."""


class MetricsProcess:
    """Keeps the process running; it is first started by `keep`.

    Args:
        forks: forks it.
        server: what it serves, with its port opened by this process: a new one serves the same port.
    """

    def __init__(self, forks: Forks, server: ThreadingHTTPServer) -> None:
        self._forks = forks
        self._server = server
        self._process: BaseProcess | None = None
        self._restart_at = 0.0
        forks.own(server.socket)

    def keep(self) -> None:
        """Start the process if it does not run."""
        if (self._process and self._process.is_alive()) or time.monotonic() < self._restart_at:
            return
        self._restart_at = time.monotonic() + RESTART_SECONDS
        self._process = self._forks.start(_serve, self._server, name="metrics", keeps=self._server.socket)

    def stop(self) -> None:
        """End the process, and close the port."""
        if self._process:
            self._process.kill()
            self._process.join()
        self._server.server_close()


def _serve(server: ThreadingHTTPServer) -> None:
    """Entry point of the process."""
    end_with_parent(signal.SIGKILL)
    server.serve_forever()
