"""A server that answers the OpenAPI client with raw bytes chosen by the test, valid or not."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Reply = bytes | Iterator[bytes] | None
"""The bytes to send; the connection is closed unless the status is 200. None: do not answer.

Pieces are sent one by one, until the client closes the connection.
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One received request."""

    action: str
    version: str
    arguments: dict[str, str]
    peer: int
    target: str
    user_agent: str


def page(status: int, body: object, content_type: str = "application/json", headers: str = "") -> bytes:
    """Return an HTTP response; a body other than bytes is encoded as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    length = f"content-length: {len(content)}\r\n" + ("" if status == 200 else "connection: close\r\n")
    return f"HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\n{length}{headers}\r\n".encode() + content


def refusal(status: int, code: str) -> bytes:
    """Return an error response of the OpenAPI."""
    return page(status, {"Code": code, "Message": "HIDDEN text of theirs", "RequestId": "R-1"})


class RawOpenApiServer:
    """A server on loopback; `answer` returns the reply to each call."""

    def __init__(self, answer: Callable[[Call], Reply]) -> None:
        self.calls: list[Call] = []
        self.answer = answer
        self.released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.far = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def endpoint(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def drip(self, reply: bytes, seconds: float = 0.05) -> Iterator[bytes]:
        """Yield the bytes of a reply one by one, the last one for ever, with pauses in between."""
        for index in count():
            yield reply[min(index, len(reply) - 1) :][:1]
            if self.released.wait(seconds):
                return

    def close(self) -> None:
        """Stop the server; calls without an answer lose their connection."""
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128  # a full queue resets connections
    far: RawOpenApiServer


class _Handler(socketserver.StreamRequestHandler):
    server: _Server
    disable_nagle_algorithm = True

    def handle(self) -> None:
        far = self.server.far
        while line := self.rfile.readline():
            call = self._read(line)
            far.calls.append(call)
            reply = far.answer(call)
            if reply is None:
                far.released.wait()
                return
            if not isinstance(reply, bytes):
                with suppress(OSError):
                    self.wfile.writelines(reply)
                return
            self.wfile.write(reply)
            if not reply.startswith(b"HTTP/1.1 200"):
                return

    def _read(self, line: bytes) -> Call:
        headers: dict[str, str] = {}
        while (header := self.rfile.readline()) not in (b"\r\n", b""):
            name, _, value = header.decode().partition(":")
            headers[name.strip().lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", 0))).decode()
        target = line.split()[1].decode()
        arguments: dict[str, Any] = dict(parse_qsl(urlsplit(target).query) + parse_qsl(body))
        version = headers.get("x-acs-version", "")
        return Call(
            headers.get("x-acs-action", ""),
            version,
            arguments,
            self.client_address[1],
            target,
            headers.get("user-agent", ""),
        )
