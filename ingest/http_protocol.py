"""The HTTP/1.1 protocol of ingest: uvicorn's httptools protocol with limits that hold before authentication.

httptools limits neither the size of a request's head nor the number of its headers, and uvicorn limits
neither the time of a request nor the number of connections. Here every byte, header and second that a client
can cause is bounded, whether it has a token or not. Why uvicorn is kept: docs/decisions/http-limits.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import httptools
import orjson
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from common.errors import DwgateError
from ingest.connections import ConnectionTable, Phase

MAX_HEAD_BYTES = 16 * 1024
"""Maximum size of a request's head, and of what frames a body (chunk sizes, extensions, trailers) between two
pieces of it. EventBridge's head is below 2 KB."""

MAX_HEADERS = 100
MAX_TARGET_BYTES = 8000
"""Maximum length of the request target (RFC 9112, section 3, recommends to accept 8,000)."""

MAX_BODY_BYTES = 1024 * 1024
"""Maximum body size. EventBridge's own limit for one event is 256 KB (help page "Limits")."""

MAX_PIPELINED = 16
"""Requests that may wait for the response to an earlier one of their connection; later ones are not read."""


_VERSIONS = ("1.1", "1.0")


class Refusal(StrEnum):
    """Why a request or connection ended before it reached the application; a label of the metrics."""

    MALFORMED = "malformed"
    UPGRADE = "upgrade"
    HEAD_TOO_LARGE = "head-too-large"
    TARGET_TOO_LONG = "target-too-long"
    FRAMING_TOO_LARGE = "framing-too-large"
    BODY_TOO_LARGE = "body-too-large"
    HEAD_TOO_SLOW = "head-too-slow"
    BODY_TOO_SLOW = "body-too-slow"
    STALLED = "stalled"
    EVICTED = "evicted"
    FULL = "full"


_STATUS = {
    Refusal.MALFORMED: HTTPStatus.BAD_REQUEST,
    Refusal.UPGRADE: HTTPStatus.BAD_REQUEST,
    Refusal.HEAD_TOO_LARGE: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    Refusal.TARGET_TOO_LONG: HTTPStatus.REQUEST_URI_TOO_LONG,
    Refusal.FRAMING_TOO_LARGE: HTTPStatus.BAD_REQUEST,
    Refusal.HEAD_TOO_SLOW: HTTPStatus.REQUEST_TIMEOUT,
    Refusal.BODY_TOO_SLOW: HTTPStatus.REQUEST_TIMEOUT,
    Refusal.FULL: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The response to each refusal; without one the connection is only closed."""


class LimitedServerState(ServerState):
    """uvicorn's state of a server, with what its connections share.

    Args:
        table: the open connections.
        on_refusal: called for each refusal.
    """

    def __init__(
        self, table: ConnectionTable[LimitedHttpProtocol], on_refusal: Callable[[Refusal], None]
    ) -> None:
        super().__init__()
        self.table = table
        self.on_refusal = on_refusal

    def end_expired_connections(self, now: float) -> None:
        """End every connection that has been in its phase for too long; to be called several times a second.

        Args:
            now: the event loop's time.
        """
        for connection, phase in self.table.expired(now):
            connection.expire(phase)


class LimitExceeded(DwgateError):
    """Ends parsing, since a limit is exceeded: httptools reports it as an error of its own."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """One connection; uvicorn creates it.

    Its phase is derived from where the parser and the application are, see `_find_phase`. Once it is ending,
    nothing that still arrives is parsed.

    Args:
        config: uvicorn's configuration.
        server_state: what the connections share.
        app_state: the lifespan's state.
    """

    def __init__(
        self,
        config: Config,
        server_state: LimitedServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._table = server_state.table
        self._on_refusal = server_state.on_refusal
        self._is_ending = False
        self._is_in_head = True
        self._is_in_message = False
        self._refusal = Refusal.MALFORMED
        self._unparsed = 0
        """Bytes since the parser last completed a head, a message or a piece of a body."""
        self._head_bytes = 0
        self._header_count = 0
        self._body_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept a connection; when there are too many, another one is closed for it."""
        super().connection_made(transport)  # type: ignore[arg-type] # uvicorn narrows the type
        if self._table.is_full:
            oldest = self._table.find_evictable()
            if oldest is None:
                self._on_refusal(Refusal.FULL)
                self._is_ending = True
                self.transport.write(_response(Refusal.FULL))
                self.transport.close()
                return
            oldest.evict()
        self._table.enter(self, Phase.HEAD, self.loop.time())

    def connection_lost(self, exc: Exception | None) -> None:
        """Release everything, the timer too, which uvicorn keeps if the connection was reset."""
        self._table.remove(self)
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes, in pieces that are small enough to count between them."""
        self._unset_keepalive_if_required()
        if self._is_ending:
            self.flow.pause_reading()  # a client that continues to send waits, and costs nothing
            return
        for start in range(0, len(data), MAX_HEAD_BYTES):
            if not self._parse(data[start : start + MAX_HEAD_BYTES]):
                return
        self._table.enter(self, self._find_phase(), self.loop.time())

    def _parse(self, data: bytes) -> bool:
        """Parse a piece; return whether the connection continues."""
        self._unparsed += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            if not self._is_ending:
                self._refuse(self._refusal)
        else:
            if self._unparsed > MAX_HEAD_BYTES:
                self._refuse(Refusal.HEAD_TOO_LARGE if self._is_in_head else Refusal.FRAMING_TOO_LARGE)
        return not self._is_ending

    # Callbacks of the parser, in the order of a request's parts. An exception in one ends parsing.

    def on_message_begin(self) -> None:
        """Start a head."""
        super().on_message_begin()
        self._is_in_head = self._is_in_message = True
        self._refusal = Refusal.MALFORMED
        self._head_bytes = self._header_count = self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Take a piece of the request target."""
        self._count_head_bytes(len(url))
        super().on_url(url)
        if len(self.url) > MAX_TARGET_BYTES:
            self._stop(Refusal.TARGET_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a trailer is counted and dropped."""
        self._count_head_bytes(len(name) + len(value) + len(": \r\n"))
        self._header_count += 1
        if self._header_count > MAX_HEADERS:
            self._stop(Refusal.HEAD_TOO_LARGE)
        if self._is_in_head:
            super().on_header(name, value.rstrip(b" \t"))  # RFC 9110, section 5.5: no part of the value

    def on_headers_complete(self) -> None:
        """Start the application, or queue the request behind the earlier ones of this connection."""
        if self.parser.should_upgrade():
            # The parser would take what follows for another protocol, and the request for one without a body.
            self._stop(Refusal.UPGRADE)
        if self.parser.get_http_version() not in _VERSIONS:
            self._stop(Refusal.MALFORMED)
        if len(self.pipeline) >= MAX_PIPELINED:
            self._end_after_responses()
            raise LimitExceeded("too many pipelined requests")
        super().on_headers_complete()  # raises for an invalid target
        self._is_in_head = False
        self._unparsed = 0

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body; one that nothing reads is dropped, up to the maximum size."""
        self._unparsed = 0
        self._body_bytes += len(body)
        if self.cycle.response_complete and self._body_bytes > MAX_BODY_BYTES:
            self._stop(Refusal.BODY_TOO_LARGE)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request."""
        self._is_in_message = False
        self._unparsed = 0
        super().on_message_complete()

    # Callbacks of the application and the server.

    def on_response_complete(self) -> None:
        """Continue with the next request."""
        super().on_response_complete()
        if not self._is_ending or self.transport.is_closing():
            self._table.enter(self, self._find_phase(), self.loop.time(), restart=True)

    def expire(self, phase: Phase) -> None:
        """End the connection, since it has been in `phase` for too long."""
        if phase is Phase.HEAD and self._unparsed:
            self._refuse(Refusal.HEAD_TOO_SLOW)
        elif phase is Phase.BODY:
            self._refuse(Refusal.BODY_TOO_SLOW)
        else:
            if phase in (Phase.ANSWER, Phase.DRAIN):
                self._on_refusal(Refusal.STALLED)
            self._abort()

    def evict(self) -> None:
        """End the connection to make room for another one."""
        self._on_refusal(Refusal.EVICTED)
        self._abort()

    def _find_phase(self) -> Phase:
        if self.transport.is_closing():
            return Phase.CLOSING
        if self.cycle is not None and not self.cycle.response_complete:
            return Phase.BODY if self.cycle.more_body else Phase.ANSWER
        if self._is_in_head:
            return Phase.HEAD
        return Phase.DRAIN if self._is_in_message else Phase.IDLE

    def _count_head_bytes(self, count: int) -> None:
        self._head_bytes += count
        if self._head_bytes > MAX_HEAD_BYTES:
            self._stop(Refusal.HEAD_TOO_LARGE)

    def _stop(self, refusal: Refusal) -> None:
        self._refusal = refusal
        raise LimitExceeded(refusal.value)

    def _refuse(self, refusal: Refusal) -> None:
        """End the connection, with a response if the client can tell which request it belongs to."""
        self._on_refusal(refusal)
        waiting = self.cycle is not None and not self.cycle.response_complete
        if waiting and not self.cycle.more_body:
            self._end_after_responses()  # the fault is in a later request
        elif self.pipeline or (waiting and self.cycle.response_started) or self._is_draining:
            self._abort()
        else:
            self._end_with(refusal)

    @property
    def _is_draining(self) -> bool:
        return self._is_in_message and not self._is_in_head and self.cycle.response_complete

    def _end_after_responses(self) -> None:
        """Read no more; close after the response to the last request that was read completely."""
        self._is_ending = True
        if self.cycle is None or self.cycle.response_complete:
            self._abort()
            return
        self.cycle.keep_alive = False
        self._table.enter(self, Phase.ANSWER, self.loop.time(), restart=True)

    def _end_with(self, refusal: Refusal) -> None:
        """Send a response and half-close.

        Closing at once would make the kernel reset the connection if more data arrives, and the client could
        lose the response (RFC 9112, section 9.6). So it ends when the client closes or the phase expires.
        """
        self._is_ending = True
        if self.cycle is not None:
            self.cycle.disconnected = True  # the application must neither wait nor respond
            self.cycle.message_event.set()
        self.transport.write(_response(refusal))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self._table.enter(self, Phase.CLOSING, self.loop.time())

    def _abort(self) -> None:
        self._is_ending = True
        self._table.remove(self)
        self.transport.abort()


def _response(refusal: Refusal) -> bytes:
    status = _STATUS[refusal]
    content = orjson.dumps({"status": "refused", "reason": refusal.value})
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "content-type: application/json",
        f"content-length: {len(content)}",
        "connection: close",
    ]
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        lines.append("retry-after: 2")
    return "\r\n".join([*lines, "", ""]).encode() + content
