"""HTTP connections of which every step ends with the budget of the call: connect, TLS, send and receive.

A read timeout ends a call only if nothing arrives for that long. A server that sends one byte a second, or
never ends its response, would keep its thread for ever. Here the timeout of each read from the socket is
what is left of the call, and what arrives is counted.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from http.client import HTTPResponse
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from workers.dataworks.limits.call_budget import CallBudget, current_budget
from workers.dataworks.limits.helper_threads import HelperThreads

CONNECT_SECONDS = 2.0
"""Maximum time to resolve the name and to connect, to all addresses together."""

READ_SECONDS = 5.0
"""Maximum time in which no byte of a response arrives."""

_RESOLVER = HelperThreads("resolver")


class BoundedAdapter(HTTPAdapter):
    """The transport of a `requests.Session` with bounded connections; it accepts no compressed response.

    Args:
        context: for TLS connections.
        pool_size: connections that are kept.
    """

    def __init__(self, context: ssl.SSLContext, pool_size: int) -> None:
        self._context = context
        super().__init__(pool_maxsize=pool_size)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the connection pools."""
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)
        _bound(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the connection pools of a proxy."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        _bound(manager)
        return manager

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send a request; the body of the response is read later.

        Raises:
            ValueError: the response is compressed, which the request does not permit: its size would be
                unknown.
        """
        response = super().send(request, *args, **kwargs)
        if response.headers.get("content-encoding", "identity") != "identity":
            response.close()
            raise ValueError("the response is compressed")
        return response


class _SocketReader(io.RawIOBase):
    """The bytes of a socket, within the budget of a call."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, budget: CallBudget) -> None:
        self._raw = raw
        self._sock = sock
        self._budget = budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_seconds_left(self._budget))
        size = self._raw.readinto(buffer)
        self._budget.count(size or 0)
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_SocketReader(self.fp.detach(), sock, current_budget()))


class _BoundedConnection(HTTPConnection):
    response_class = _BoundedResponse

    def send(self, data: Any) -> None:
        if self.sock is not None:  # a kept connection has the timeout of its last read
            self.sock.settimeout(_seconds_left(current_budget()))
        super().send(data)

    def _new_conn(self) -> socket.socket:
        try:
            sock = self._connect_to_any(min(current_budget().ends_at, time.monotonic() + CONNECT_SECONDS))
            # For the TLS handshake and the first request.
            sock.settimeout(_seconds_left(current_budget()))
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"no connection to {self.host} in time") from error
        except OSError as error:
            raise NewConnectionError(self, f"no connection to {self.host}: {error}") from error
        return sock

    def _connect_to_any(self, ends_at: float) -> socket.socket:
        """Connect to one of the host's addresses; urllib3 would give each of them the whole time."""
        host, port = self._dns_host.strip("[]"), self.port
        addresses = _RESOLVER.call(
            lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), ends_at - time.monotonic()
        )
        fault: OSError | None = None
        for number, (family, kind, protocol, _, address) in enumerate(addresses):
            try:
                sock = socket.socket(family, kind, protocol)
            except OSError as error:  # a family that this machine does not have
                fault = error
                continue
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                # An address that does not respond leaves time for the others.
                sock.settimeout(max(ends_at - time.monotonic(), 0.001) / (len(addresses) - number))
                sock.connect(address)
            except OSError as error:
                sock.close()
                fault = error
            else:
                return sock
        raise fault or OSError("it has no address")


class _BoundedTlsConnection(HTTPSConnection, _BoundedConnection):
    response_class = _BoundedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _BoundedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedTlsConnection


def _bound(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def _seconds_left(budget: CallBudget) -> float:
    return min(READ_SECONDS, budget.seconds_left())
