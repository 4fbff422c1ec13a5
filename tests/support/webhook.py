"""An HTTP receiver of notifications: it keeps what it is sent, and answers what a test says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


@dataclass
class Webhook:
    """A receiver.

    Attributes:
        url: its address, without a path.
        status: of its answers.
        answer: of its answers, as JSON.
        received: path and content of each request.
        answers: while it is not set, requests wait for their answer.
    """

    url: str = ""
    status: int = 200
    answer: dict[str, Any] = field(default_factory=lambda: {"errcode": 0, "code": 0})
    received: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: threading.Event = field(default_factory=threading.Event)

    @property
    def target(self) -> str:
        """The receiver as a URL of apprise."""
        return f"json://{self.url.removeprefix('http://')}/"

    @property
    def messages(self) -> list[str]:
        """Title and body of what `target` received."""
        return [f"{content['title']}\n{content['message']}" for _, content in self.received]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Run a receiver on a free port."""
    hook = Webhook()
    hook.answers.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            hook.received.append((self.path, orjson.loads(body)))
            hook.answers.wait()
            content = orjson.dumps(hook.answer)
            self.send_response(hook.status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Be silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield hook
        finally:
            hook.answers.set()
            server.shutdown()
            thread.join()
