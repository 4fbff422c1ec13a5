"""A small HTTP load generator: prepared requests over persistent connections, closed-loop or at a fixed rate.

It does as little work per request as possible, since it shares the machine with the measured server.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import uvloop

DRAIN_SECONDS = 10.0


@dataclass(slots=True)
class Tally:
    """The results of a run: responses by status, their latencies in seconds, and when each request was due.

    Due times are in seconds since the epoch; without a rate, all requests are due when the run starts.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    due: list[float] = field(default_factory=list)
    elapsed: float = 0.0

    @property
    def rate(self) -> float:
        """Successful responses per second."""
        return self.statuses[200] / self.elapsed if self.elapsed else 0.0

    def quantile(self, share: float) -> float:
        """Return the latency within which `share` of the responses arrived, in milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else 0.0


class _Connection(asyncio.Protocol):
    """One connection: sends a request, waits for its response, and sends the next."""

    def __init__(self, requests: Iterator[tuple[float, bytes]], tally: Tally, done: asyncio.Event) -> None:
        self._requests = requests
        self._tally = tally
        self._done = done
        self._due = 0.0
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        """Record a response once its body is complete."""
        self._seen += data
        head, separator, body = self._seen.partition(b"\r\n\r\n")
        if not separator or len(body) < _content_length(head):
            return
        self._tally.statuses[int(head[9:12])] += 1
        self._tally.seconds.append(time.perf_counter() - self._due)
        self._seen = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Mark the connection as done."""
        self._done.set()

    def _next(self) -> None:
        item = next(self._requests, None)
        if item is None:
            self._transport.close()
            return
        due, request = item
        wait = due - time.perf_counter()
        # At a fixed rate a request is timed from when it was due, so that a stall is not hidden.
        self._due = due or time.perf_counter()
        if due and wait > 0:
            asyncio.get_running_loop().call_later(wait, self._transport.write, request)
        else:
            self._transport.write(request)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def request(path: str, host: str, headers: dict[str, str], body: bytes) -> bytes:
    """Return a POST request as bytes to send."""
    lines = [f"POST {path} HTTP/1.1", f"host: {host}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def get_request(path: str, host: str) -> bytes:
    """Return a GET request as bytes to send."""
    return f"GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode()


def run(host: str, port: int, requests: Sequence[bytes], *, connections: int, rate: float = 0) -> Tally:
    """Send every request once.

    Args:
        host: the target's host.
        port: the target's port.
        requests: prepared requests.
        connections: number of concurrent connections.
        rate: requests per second; 0 for as fast as they are answered.
    """
    return uvloop.run(_run(host, port, requests, connections, rate))


async def _run(host: str, port: int, requests: Sequence[bytes], connections: int, rate: float) -> Tally:
    tally = Tally()
    loop = asyncio.get_running_loop()
    start = time.perf_counter() + 0.05
    began_at = time.time() + 0.05
    tally.due = [began_at + number / rate if rate else began_at for number in range(len(requests))]
    source = ((start + number / rate if rate else 0.0, item) for number, item in enumerate(requests))
    ends = [asyncio.Event() for _ in range(connections)]
    for end in ends:
        await loop.create_connection(lambda end=end: _Connection(source, tally, end), host, port)  # type: ignore[misc]
    limit = (len(requests) / rate if rate else 600) + DRAIN_SECONDS
    async with asyncio.timeout(limit):
        for end in ends:
            await end.wait()
    tally.elapsed = time.perf_counter() - start
    return tally
