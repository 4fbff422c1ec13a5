"""A TCP address whose target can change, like a DNS name, and that can disturb what it relays."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass

_MAX_READ = 1 << 20
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Toxic:
    """What happens to responses on their way, named as in toxiproxy; without arguments nothing does.

    Attributes:
        latency: seconds by which each response is delayed.
        bandwidth: bytes per second.
        slicer: size of the pieces in which a response arrives, with a pause after each.
        slow_close: seconds by which the end of a connection is delayed.
        timeout: seconds after which the connection ends, without any byte of the response.
        reset_peer: whether the connection is reset, without any byte of the response.
        limit_data: bytes of a response after which the connection ends.
    """

    latency: float = 0.0
    bandwidth: float = math.inf
    slicer: int | None = None
    slow_close: float = 0.0
    timeout: float | None = None
    reset_peer: bool = False
    limit_data: int | None = None

    @property
    def is_fatal(self) -> bool:
        """Whether it ends the connection before the whole response has arrived."""
        return self.timeout is not None or self.reset_peer or self.limit_data is not None


_SLICE_PAUSE_SECONDS = 0.01


class TcpRelay:
    """Relays connections to a port of loopback.

    Args:
        target: the port that new connections are relayed to; open connections keep their target. It can be
            changed at any time.

    Attributes:
        toxic: what happens to responses from now on.
        disturbed: number of responses to which something happened; a long one may count several times.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.toxic = Toxic()
        self.disturbed = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Listen on a free port of loopback."""
        self._thread.start()
        assert self._ready.wait(10)

    def close(self) -> None:
        """Close all connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._relay, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(
                asyncio.gather(*asyncio.all_tasks(self._loop), return_exceptions=True)
            )
        self._loop.run_until_complete(asyncio.sleep(0))  # the closed connections end
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.target)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            other_reader, other_writer = await self._connect()
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(_copy(reader, other_writer), self._disturb(other_reader, writer))
        finally:
            writer.close()
            other_writer.close()

    async def _disturb(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay responses as the toxic of the moment says."""
        with suppress(OSError):
            while data := await reader.read(_MAX_READ):
                toxic = self.toxic
                if toxic != Toxic():
                    self.disturbed += 1
                await _send(data, writer, toxic)
                if toxic.is_fatal:
                    break
            await asyncio.sleep(self.toxic.slow_close)
        writer.close()


async def _send(data: bytes, writer: asyncio.StreamWriter, toxic: Toxic) -> None:
    """Send a response, or what the toxic leaves of it."""
    await asyncio.sleep(toxic.latency)
    if toxic.reset_peer:
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        return
    if toxic.timeout is not None:
        await asyncio.sleep(toxic.timeout)
        return
    data = data[: toxic.limit_data]
    size = toxic.slicer or len(data)
    for start in range(0, len(data), size):
        piece = data[start : start + size]
        writer.write(piece)
        await writer.drain()
        if toxic.slicer:
            await asyncio.sleep(_SLICE_PAUSE_SECONDS)
        await asyncio.sleep(len(piece) / toxic.bandwidth)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_MAX_READ):
            writer.write(data)
            await writer.drain()
    writer.close()
