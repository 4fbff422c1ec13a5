"""The HTTP side of ingest: bounded bodies in, JSON answers out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from common.ledger import Ledger
from ingest.certificates import Certificates
from ingest.metrics import Metrics
from ingest.publishers.base import Publisher
from ingest.receiver import HttpAnswer, Receiver
from ingest.settings import IngestSettings

MAX_BODY_BYTES = 1024 * 1024
"""The longest body. EventBridge's own limit for one event is 256 KB (help page "Limits")."""

BODY_SECONDS = 10.0
"""How long a sender may take over its body."""

TOO_LARGE = HttpAnswer(413, {"status": "refused", "reason": "too-large"}, {"connection": "close"})
TOO_SLOW = HttpAnswer(408, {"status": "refused", "reason": "too-slow"}, {"connection": "close"})
GONE = HttpAnswer(400, {"status": "refused", "reason": "disconnected"})


def create_app(
    settings: IngestSettings,
    *,
    publisher: Publisher,
    certificates: Certificates,
    ledger: Ledger,
    clock: Callable[[], float] = time.time,
) -> IngestApp:
    """Return the ASGI app. Its lifespan starts and closes what comes in here.

    Args:
        settings: who is let in.
        publisher: makes events durable.
        certificates: where keys come from.
        ledger: keeps malformed bodies.
        clock: seconds since the epoch.
    """
    metrics = Metrics()
    receiver = Receiver(
        settings.trust_policy(),
        publisher=publisher,
        certificates=certificates,
        ledger=ledger,
        metrics=metrics,
        clock=clock,
    )

    async def healthz(_: Request) -> Response:
        return _response(HttpAnswer(200, {"status": "alive"}))

    async def readyz(_: Request) -> Response:
        engines = await receiver.ready()
        return _response(HttpAnswer(200 if all(engines.values()) else 503, dict(engines)))

    async def show_metrics(_: Request) -> Response:
        return Response(metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @asynccontextmanager
    async def lifespan(_: IngestApp) -> AsyncIterator[None]:
        await publisher.start()
        try:
            yield
        finally:
            await publisher.close()
            await certificates.close()
            receiver.close()

    return IngestApp(
        EventsEndpoint(receiver),
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", show_metrics),
        ],
        lifespan=lifespan,
    )


class IngestApp(Starlette):
    """A Starlette app that hands `POST /events` over before any middleware.

    That path is called thousands of times a second; routing and error handling cost a tenth of its time.

    Args:
        events: takes the requests to `/events`.
        routes: everything else.
        lifespan: see Starlette.
    """

    def __init__(
        self, events: ASGIApp, *, routes: Sequence[BaseRoute], lifespan: Lifespan[IngestApp]
    ) -> None:
        super().__init__(routes=[*routes, Route("/events", events, methods=["POST"])], lifespan=lifespan)
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or play the lifespan."""
        if scope["type"] == "http" and scope["path"] == "/events" and scope["method"] == "POST":
            await self._events(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class EventsEndpoint:
    """`POST /events`.

    Args:
        receiver: takes bodies in.
    """

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
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
        claim = self._receiver.authenticate_headers(
            [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in headers
                if name.startswith(b"x-")
            ]
        )
        if isinstance(claim, HttpAnswer):
            return claim
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(receive)
        except TimeoutError:
            return TOO_SLOW
        except ClientDisconnect:
            return GONE
        return TOO_LARGE if body is None else await self._receiver.handle_body(claim, body)


async def _body(receive: Receive) -> bytes | None:
    """Return the body, or None as soon as it is longer than it may be.

    Raises:
        ClientDisconnect: the sender is gone.
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


def _response(answer: HttpAnswer) -> Response:
    return Response(orjson.dumps(answer.content), answer.code, answer.headers, media_type="application/json")
