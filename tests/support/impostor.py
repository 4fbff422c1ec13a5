"""A server in place of an engine: it completes TLS handshakes, and records what clients send afterwards."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from types import TracebackType

from tests.support.certificates import KeyPair

READ_SECONDS = 3.0
_AMQP_START = struct.pack(">HHBBI", 10, 10, 0, 9, 0) + b"\0\0\0\5PLAIN" + b"\0\0\0\5en_US"


class Impostor:
    """The server, in a thread.

    It greets AMQP clients as RabbitMQ does, so that they send their password. Clients of Redis and of HTTP
    send theirs immediately.

    Args:
        pair: its certificate; None for a server without TLS.
        reply: what it answers to clients that do not speak AMQP.
    """

    def __init__(self, pair: KeyPair | None, *, reply: bytes = b"") -> None:
        self._reply = reply
        self._context: ssl.SSLContext | None = None
        if pair is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(pair.cert_file, pair.key_file)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        self.received = b""
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Impostor:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closing a listener does not end an `accept` that waits on it.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                client.settimeout(READ_SECONDS)
                try:
                    self._talk(client)
                except OSError:
                    pass  # the client rejected the certificate
                finally:
                    self.connections += 1

    def _talk(self, client: socket.socket) -> None:
        secured = self._context.wrap_socket(client, server_side=True) if self._context else client
        with secured:
            first = secured.recv(65536)
            self.received += first
            if first.startswith(b"AMQP"):
                frame = struct.pack(">BHI", 1, 0, len(_AMQP_START)) + _AMQP_START + b"\xce"
                secured.sendall(frame)
                self.received += secured.recv(65536)
            elif self._reply:
                secured.sendall(self._reply)
