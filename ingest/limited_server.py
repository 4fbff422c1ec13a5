"""uvicorn with the limits of `ingest.http_protocol`, and a log event when it listens."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import socket
import sys
from collections.abc import Callable

import structlog
import uvicorn
from starlette.types import ASGIApp

from ingest.connections import KEEP_ALIVE_SECONDS, MAX_CONNECTIONS, ConnectionTable
from ingest.http_protocol import LimitedHttpProtocol, LimitedServerState, Refusal

GRACE_SECONDS = 10
"""Maximum seconds for requests in progress to finish at shutdown; a publish takes at most two of them."""

OTHER_FILES = 100
"""File descriptors kept for everything but the connections of clients."""

_log = structlog.get_logger()


def serve(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    table: ConnectionTable[LimitedHttpProtocol],
    on_refusal: Callable[[Refusal], None],
) -> None:
    """Serve until SIGTERM or SIGINT: then finish the requests in progress, and exit with status 0.

    Args:
        app: the ASGI application.
        host: address to listen on.
        port: TCP port; 0 for any free port, which the log event `server_started` contains.
        table: the open connections.
        on_refusal: called for each request or connection that a limit ended.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again when it has stopped, for whatever handled it before.
        signal.signal(number, lambda *_: sys.exit(0))
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=LimitedHttpProtocol,
        ws="none",
        access_log=False,
        server_header=False,
        log_config=None,
        log_level="warning",
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    _LimitedServer(config, table, on_refusal).run()


def new_table() -> ConnectionTable[LimitedHttpProtocol]:
    """Return a table for as many connections as file descriptors suffice for, after raising their limit."""
    return ConnectionTable(_max_connections())


class _LimitedServer(uvicorn.Server):
    """A uvicorn server that limits its connections and logs the address on which it listens.

    Args:
        config: uvicorn's configuration.
        table: the open connections.
        on_refusal: called for each request or connection that a limit ended.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        table: ConnectionTable[LimitedHttpProtocol],
        on_refusal: Callable[[Refusal], None],
    ) -> None:
        super().__init__(config)
        self._limited_state = LimitedServerState(table, on_refusal)
        self.server_state = self._limited_state

    async def on_tick(self, counter: int) -> bool:
        """Called by uvicorn every 0.1 seconds; return whether to exit."""
        self._limited_state.end_expired_connections(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _freeze_gc()
        for server in self.servers:
            for listener in server.sockets:
                _log.info("server_started", url=_url(listener))


def _max_connections() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + OTHER_FILES
    if soft < wanted and soft != resource.RLIM_INFINITY:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, soft - OTHER_FILES)


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
