"""The application of the queue source: it consumes in the background; over HTTP it serves its state only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from common import clock as fleet_clock
from common.ledger import Ledger
from ingest.metrics import QueueMetrics
from ingest.publishers.base import Publisher
from ingest.receiver import Origin, Receiver
from ingest.service import running, status_routes
from ingest.settings import QueueIngestSettings
from ingest.sources.queue_consumer import QueueConsumer

ORIGIN = Origin("receive message", "consumer")


def create_app(
    settings: QueueIngestSettings,
    *,
    publisher: Publisher,
    ledger: Ledger,
    metrics: QueueMetrics,
    clock: Callable[[], float] = fleet_clock.now,
) -> Starlette:
    """Return the ASGI app. Its lifespan starts publisher and consumer, and closes both.

    Args:
        settings: the queue, and the accounts whose events are accepted.
        publisher: publishes events durably.
        ledger: stores messages that are no valid events.
        metrics: the metrics to update and to serve.
        clock: seconds since the epoch.
    """
    receiver = Receiver(
        settings.accounts, ORIGIN, publisher=publisher, ledger=ledger, metrics=metrics, clock=clock
    )
    consumer = QueueConsumer(
        settings.source_url.get_secret_value(),
        settings.source_queue,
        receiver,
        metrics,
        can_publish=publisher.ready,
        prefetch=settings.source_prefetch,
        tls=settings.source_tls_files,
        clock=clock,
    )

    async def ready() -> dict[str, bool]:
        return {**await receiver.ready(), "source": consumer.is_consuming}

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with running(receiver, publisher):
            await consumer.start()
            try:
                yield
            finally:
                await consumer.close()

    return Starlette(routes=status_routes(ready, metrics), lifespan=lifespan)
