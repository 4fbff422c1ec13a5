"""What every source needs: health, readiness and metrics over HTTP; start and end of the receiver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from common import clock as fleet_clock
from ingest.metrics import Metrics
from ingest.publishers.base import Publisher
from ingest.receiver import Receiver


def status_routes(ready: Callable[[], Awaitable[Mapping[str, bool]]], metrics: Metrics) -> list[BaseRoute]:
    """Return `/healthz`, `/readyz` and `/metrics`.

    Args:
        ready: returns for each engine whether it responds.
        metrics: the metrics to serve.
    """

    async def healthz(_: Request) -> Response:
        return _json(200, {"status": "alive"})

    async def readyz(_: Request) -> Response:
        engines = await ready()
        return _json(200 if all(engines.values()) else 503, engines)

    async def show_metrics(_: Request) -> Response:
        return Response(metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", show_metrics)]


@asynccontextmanager
async def running(receiver: Receiver, publisher: Publisher) -> AsyncIterator[None]:
    """Start the publisher and watch the clock; close both, and the receiver, at the end."""
    await publisher.start()
    await receiver.measure_clock()
    watch = asyncio.create_task(_watch_clock(receiver))
    try:
        yield
    finally:
        watch.cancel()
        await publisher.close()
        receiver.close()


async def _watch_clock(receiver: Receiver) -> None:
    while True:
        await asyncio.sleep(fleet_clock.MEASURE_SECONDS)
        await receiver.measure_clock()


def _json(code: int, content: Mapping[str, object]) -> Response:
    return Response(orjson.dumps(content), code, media_type="application/json")
