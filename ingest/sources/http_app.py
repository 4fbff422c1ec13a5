"""The application of the HTTP source: routes, bounded request bodies, JSON responses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from common import clock as fleet_clock
from common.ledger import Ledger
from ingest.certificates import Certificates
from ingest.http_protocol import MAX_BODY_BYTES
from ingest.metrics import Metrics
from ingest.publishers.base import Publisher
from ingest.receiver import Receiver
from ingest.service import running, status_routes
from ingest.settings import IngestSettings
from ingest.sources.http_receiver import ORIGIN, HttpAnswer, HttpReceiver

TOO_LARGE = HttpAnswer(413, {"status": "refused", "reason": "too-large"}, {"connection": "close"})
GONE = HttpAnswer(400, {"status": "refused", "reason": "disconnected"})


def create_app(
    settings: IngestSettings,
    *,
    publisher: Publisher,
    certificates: Certificates,
    ledger: Ledger,
    metrics: Metrics,
    clock: Callable[[], float] = fleet_clock.now,
) -> IngestApp:
    """Return the ASGI app. Its lifespan starts and closes the publisher, and closes the certificates.

    Args:
        settings: which senders are accepted.
        publisher: publishes events durably.
        certificates: provides EventBridge's keys.
        ledger: stores malformed bodies.
        metrics: the metrics to update and to serve.
        clock: seconds since the epoch.
    """
    receiver = Receiver(
        settings.accounts,
        ORIGIN,
        publisher=publisher,
        ledger=ledger,
        metrics=metrics,
        clock=clock,
    )
    requests = HttpReceiver(
        settings.trust_policy(), receiver, certificates=certificates, metrics=metrics, clock=clock
    )

    @asynccontextmanager
    async def lifespan(_: IngestApp) -> AsyncIterator[None]:
        async with running(receiver, publisher):
            try:
                yield
            finally:
                await certificates.close()

    return IngestApp(
        EventsEndpoint(requests), routes=status_routes(receiver.ready, metrics), lifespan=lifespan
    )


class IngestApp(Starlette):
    """A Starlette app that dispatches `POST /events` before routing and middleware.

    That path is called thousands of times per second; routing and error handling cost a tenth of its time.

    Args:
        events: handles `POST /events`.
        routes: all other routes.
        lifespan: see Starlette.
    """

    def __init__(
        self, events: ASGIApp, *, routes: Sequence[BaseRoute], lifespan: Lifespan[IngestApp]
    ) -> None:
        super().__init__(routes=[*routes, Route("/events", events, methods=["POST"])], lifespan=lifespan)
        # A redirect of `/events/` would go to whatever host the request names.
        self.router.redirect_slashes = False
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or the lifespan."""
        if scope["type"] == "http" and scope["path"] == "/events" and scope["method"] == "POST":
            await self._events(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class EventsEndpoint:
    """`POST /events`.

    Args:
        requests: processes the requests.
    """

    def __init__(self, requests: HttpReceiver) -> None:
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        answer = await self._respond(scope, receive)
        content = orjson.dumps(answer.content)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
        headers += [(name.encode(), value.encode()) for name, value in (answer.headers or {}).items()]
        await send({"type": "http.response.start", "status": answer.code, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _respond(self, scope: Scope, receive: Receive) -> HttpAnswer:
        headers = scope["headers"]
        length = next((value for name, value in headers if name == b"content-length"), b"0")
        if length.isdigit() and int(length) > MAX_BODY_BYTES:
            return TOO_LARGE
        signed = self._requests.authenticate_headers(
            [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in headers
                if name.startswith(b"x-")
            ]
        )
        if isinstance(signed, HttpAnswer):
            return signed
        try:
            body = await _body(receive)
        except ClientDisconnect:
            return GONE
        return TOO_LARGE if body is None else await self._requests.handle_body(signed, body)


async def _body(receive: Receive) -> bytes | None:
    """Return the body, or None as soon as it is longer than MAX_BODY_BYTES.

    Raises:
        ClientDisconnect: the sender disconnected.
    """
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            return None
        more = message.get("more_body", False)
    return body
