"""Connections of aio-pika to RabbitMQ: their time limits and errors, and connecting again after a loss."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Literal, NoReturn

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import (
    AMQPError,
    AuthenticationError,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    ProbableAuthenticationError,
)
from aiormq.exceptions import ChannelAccessRefused, ConnectionNotAllowed
from yarl import URL

from common.engines.address_rotation import AddressRotation
from common.engines.urls import node_urls
from common.errors import DwgateError
from common.tls import TlsFiles, create_context

HEARTBEAT_SECONDS = 5
CONNECT_SECONDS = 5.0
RECONNECT_SECONDS = 0.5
"""Seconds before the next attempt to connect."""

REFUSED_SECONDS = 15.0
"""Seconds before the next attempt after a refusal, which only a person can end."""

CLOSE_SECONDS = 2.0
"""How long the end may take: the client library may wait for a broker that hangs."""

_CLOSE_CONNECTION_SECONDS = 1.0

CONNECTION_ERRORS = (AMQPError, OSError, RuntimeError, StopAsyncIteration)
"""Raised by aio-pika when the connection or channel is lost; OSError covers timeouts and ConnectionError.

aiormq raises StopAsyncIteration if a connection ends before its first frame, as behind a load balancer
without a node that serves.
"""

REFUSALS = (
    AuthenticationError,
    ProbableAuthenticationError,
    ConnectionNotAllowed,
    ChannelAccessRefused,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
)
"""What RabbitMQ answers to wrong credentials, a missing virtual host, exchange, queue or right, and to other
arguments of a queue that exists."""

Broker = Literal["own", "source"]
"""Which broker a line of the log is about: that of dwgate's queues, or that of the queue of EventBridge."""

NoteConnected = Callable[[str | None], None]
"""Is called with the host when a connection to it can be used."""

_log = structlog.get_logger()


class ConnectionLost(DwgateError):
    """The connection or channel is lost, or could not be opened; the text is the reason."""


class BrokerRefused(ConnectionLost):
    """RabbitMQ refuses the settings; the text is its reason."""


@asynccontextmanager
async def connection_errors() -> AsyncIterator[None]:
    """Convert every error by which aio-pika reports a lost connection.

    Raises:
        BrokerRefused: RabbitMQ refuses the settings.
        ConnectionLost: any other reason.
    """
    task = asyncio.current_task()
    try:
        yield
    except asyncio.CancelledError:
        # aio-pika cancels tasks that wait on a connection it abandons: re-raise only our own cancellation.
        if task is None or task.cancelling():
            raise
        raise ConnectionLost("the connection was lost") from None
    except REFUSALS as error:
        raise BrokerRefused(f"{type(error).__name__}: {error}") from error
    except CONNECTION_ERRORS as error:
        raise ConnectionLost(f"{type(error).__name__}: {error}") from error


async def keep_connected(
    session: Callable[[NoteConnected], Awaitable[None]],
    broker: Broker,
    *,
    max_pause: float = RECONNECT_SECONDS,
) -> NoReturn:
    """Run one session after the other until this task is cancelled.

    Args:
        session: connects, calls its argument with the host as soon as the connection can be used, and returns
            or raises when it is lost.
        broker: to which broker, for the log.
        max_pause: maximum seconds between two attempts: the pause doubles with each failed one.
    """
    last_reason, pause = "", RECONNECT_SECONDS

    def note_connected(host: str | None) -> None:
        nonlocal last_reason, pause
        last_reason, pause = "", RECONNECT_SECONDS
        _log.info("broker_connected", broker=broker, host=host)

    while True:
        try:
            async with connection_errors():
                await session(note_connected)
            reason = "closed"
        except BrokerRefused as error:
            _log.error("broker_refused", broker=broker, reason=str(error))
            await asyncio.sleep(REFUSED_SECONDS)
            continue
        except (ConnectionLost, TimeoutError) as error:
            reason = str(error) or "timed out"
        except Exception as error:  # noqa: BLE001 - without this task nothing would ever connect again
            reason = type(error).__name__
        if reason != last_reason:  # one line per outage, not one per attempt
            _log.warning("broker_connection_lost", broker=broker, reason=reason)
        last_reason = reason
        await asyncio.sleep(pause)
        pause = min(2 * pause, max_pause)


class Nodes:
    """The nodes of a RabbitMQ.

    Args:
        url: `amqp://…` or `amqps://…`; several nodes are separated by semicolons.
        tls: files for verified TLS with `amqps://`.
    """

    def __init__(self, url: str, tls: TlsFiles) -> None:
        self._urls = AddressRotation(
            [URL(node).update_query(heartbeat=HEARTBEAT_SECONDS) for node in node_urls(url)]
        )
        self._tls_context = create_context(tls) if url.startswith("amqps:") else None

    async def use_in_turn(
        self,
        use: Callable[[AbstractConnection, Callable[[], None]], Awaitable[None]],
        note_connected: NoteConnected,
    ) -> None:
        """Use the first node that serves, and the next one when its connection has ended; each at most once.

        Args:
            use: uses a connection, calls its second argument as soon as that can be done, and returns or
                raises when the connection has ended.
            note_connected: is called then with the host of the node.

        Raises:
            BrokerRefused: no node serves, and one of them refuses the settings.
            ConnectionLost: no node serves, or the connection to the last one was lost.
        """
        failures: list[ConnectionLost] = []
        for url in self._urls.in_order():
            try:
                async with connection_errors(), self._connection(url) as connection:
                    await use(connection, partial(note_connected, url.host))
                failures.clear()
            except ConnectionLost as error:
                failures.append(error)
            finally:
                self._urls.note_failure(url)
        if failures:
            raise next((error for error in failures if isinstance(error, BrokerRefused)), failures[-1])

    @asynccontextmanager
    async def _connection(self, url: URL) -> AsyncIterator[AbstractConnection]:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await aio_pika.connect(url, ssl_context=self._tls_context)
        try:
            yield connection
        finally:
            await _close(connection)


async def wait_for_end(
    connection: AbstractConnection, channel: AbstractChannel, requested: asyncio.Event
) -> None:
    """Wait until the connection or the channel is closed, or `requested` is set."""
    ends = [
        asyncio.ensure_future(waiting)
        for waiting in (connection.closed(), channel.closed(), requested.wait())
    ]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for end in ends:
            end.cancel()


async def _close(connection: AbstractConnection) -> None:
    """Close a connection, whatever state it is in; a second is waited for the broker."""
    try:
        async with asyncio.timeout(_CLOSE_CONNECTION_SECONDS):
            await connection.close()
    except CONNECTION_ERRORS:
        _log.debug("broker_close_failed")
