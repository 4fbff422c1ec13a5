"""The limits of HTTP, over real sockets."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

from ingest import connections
from ingest.connections import ConnectionTable, Phase
from ingest.http_protocol import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    MAX_PIPELINED,
    MAX_TARGET_BYTES,
    LimitedHttpProtocol,
    LimitedServerState,
    Refusal,
)

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nhost: x\r\n"
SECONDS = 30.0
"""How long a test waits for something that must happen; generous, since the machine may be busy."""


class Application:
    """Answers at once, or first reads the body (`POST /read`), or waits until `release` is set (`/wait`)."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.scopes: list[Scope] = []
        self.bodies: list[bytes] = []
        self.disconnects = 0
        self.content = b"ok"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if scope["path"] == "/read":
            await self._read(receive)
        elif scope["path"] == "/wait":
            await self.release.wait()
        length = str(len(self.content)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": self.content})

    async def _read(self, receive: Receive) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.disconnects += 1
                return
            body += message["body"]
            more = message["more_body"]
        self.bodies.append(body)


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, *pieces: bytes) -> None:
        """Send pieces, each as one segment if the kernel agrees."""
        for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()

    async def response(self) -> tuple[int, bytes]:
        """Return the next response: its status and its head."""
        async with asyncio.timeout(SECONDS):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            await self._reader.readexactly(int(length[1]) if length else 0)
        return int(head[9:12]), head

    async def rest(self) -> bytes:
        """Return what comes until the server closes."""
        async with asyncio.timeout(SECONDS):
            try:
                return await self._reader.read()
            except ConnectionError:
                return b""

    async def reset(self) -> None:
        """Close with a reset."""
        self._writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self._writer.close()

    def close(self) -> None:
        """Close."""
        self._writer.close()


class Served:
    """A server with the protocol under test."""

    def __init__(self, max_connections: int) -> None:
        self.app = Application()
        self.refusals: Counter[Refusal] = Counter()
        self.table: ConnectionTable[LimitedHttpProtocol] = ConnectionTable(max_connections)
        self.state = LimitedServerState(self.table, lambda refusal: self.refusals.update([refusal]))
        self.config = uvicorn.Config(
            self.app, http=LimitedHttpProtocol, ws="none", log_config=None, log_level="critical"
        )
        self.clients: list[Client] = []
        self.port = 0

    def protocol(self) -> LimitedHttpProtocol:
        """Return the protocol of a new connection."""
        return LimitedHttpProtocol(self.config, self.state, {}, asyncio.get_running_loop())

    async def connect(self, *pieces: bytes) -> Client:
        """Connect, and send `pieces`."""
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self.clients.append(client)
        await client.send(*pieces)
        return client

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition` is true."""
        async with asyncio.timeout(SECONDS):
            while not condition():  # noqa: ASYNC110 (what it waits for has no event)
                await asyncio.sleep(0.005)

    def phases(self) -> list[Phase]:
        """Return the phases of the open connections, sorted."""
        return sorted(self.table._phases.values())


@asynccontextmanager
async def serving(max_connections: int = 50) -> AsyncIterator[Served]:
    served = Served(max_connections)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(served.protocol, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]

    async def sweep() -> None:
        while True:
            served.state.end_expired_connections(loop.time())
            await asyncio.sleep(0.01)

    sweeper = asyncio.create_task(sweep())
    try:
        yield served
    finally:
        for client in served.clients:
            client.close()
        server.close()
        await served.until(lambda: not served.state.connections)
        assert len(served.table) == 0
        sweeper.cancel()


def run(test: Callable[[Served], Awaitable[None]], max_connections: int = 50) -> None:
    async def main() -> None:
        async with serving(max_connections) as served:
            await test(served)

    uvloop.run(main())


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Shorten the limits of the given phases, to 50 ms."""

    def shorten(*phases: Phase) -> None:
        for phase in phases:
            monkeypatch.setitem(connections.SECONDS, phase, 0.05)

    return shorten


def head(size: int) -> bytes:
    """Return a request whose head has `size` bytes as the parser counts them."""
    start = b"GET / HTTP/1.1\r\nhost: x\r\nx-a: "
    return start + b"a" * (size - len(b"/") - len(b"host: x\r\nx-a: \r\n")) + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("request_head", "status", "refusal"),
    [
        (head(MAX_HEAD_BYTES + 1), 431, Refusal.HEAD_TOO_LARGE),
        (GET[:-2] + b"a:\r\n" * MAX_HEADERS + b"\r\n", 431, Refusal.HEAD_TOO_LARGE),
        (GET[:-2] + b"a:\r\n" * 100_000, 431, Refusal.HEAD_TOO_LARGE),
        (GET[:-2] + b"x-a: " + b"a" * 1_000_000, 431, Refusal.HEAD_TOO_LARGE),
        (GET[:-2] + b"a" * 1_000_000, 431, Refusal.HEAD_TOO_LARGE),
        (GET[:-2] + b"a: b\r\n c\r\n" * 10_000, 400, Refusal.MALFORMED),
        (b"\r\n" * 100_000, 431, Refusal.HEAD_TOO_LARGE),
        (b"GET /" + b"a" * MAX_TARGET_BYTES + b" HTTP/1.1\r\nhost: x\r\n\r\n", 414, Refusal.TARGET_TOO_LONG),
        (b"GET /" + b"a" * 1_000_000, 414, Refusal.TARGET_TOO_LONG),
        (b"A" * 1_000_000, 400, Refusal.MALFORMED),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, Refusal.MALFORMED),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, Refusal.MALFORMED),
        (b"CONNECT evil.example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n", 400, Refusal.UPGRADE),
        (b"GET http:// HTTP/1.1\r\nhost: x\r\n\r\n", 400, Refusal.MALFORMED),
    ],
)
@pytest.mark.parametrize("size", [1_000_000, 1000], ids=["whole", "pieces"])
def test_a_head_beyond_a_limit_is_refused(
    request_head: bytes, status: int, refusal: Refusal, size: int
) -> None:
    async def test(served: Served) -> None:
        client = await served.connect()
        sending = asyncio.create_task(
            client.send(*(request_head[at : at + size] for at in range(0, len(request_head), size)))
        )
        found, answer = await client.response()
        assert (found, b"connection: close" in answer) == (status, True)
        await asyncio.gather(sending, return_exceptions=True)
        client.close()
        assert served.refusals == {refusal: 1}
        assert served.app.scopes == []

    run(test)


def test_a_head_at_the_limit_is_accepted() -> None:
    async def test(served: Served) -> None:
        for request in (
            head(MAX_HEAD_BYTES - 100),
            GET[:-2] + b"a:\r\n" * (MAX_HEADERS - 1) + b"\r\n",
            b"GET /" + b"a" * (MAX_TARGET_BYTES - 1) + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        ):
            client = await served.connect(request)
            assert (await client.response())[0] == 200
        assert not served.refusals

    run(test)


def test_the_limit_of_a_head_starts_again_with_each_request() -> None:
    async def test(served: Served) -> None:
        client = await served.connect()
        for _ in range(5):
            await client.send(head(MAX_HEAD_BYTES - 100))
            assert (await client.response())[0] == 200

    run(test)


def test_a_slow_head_times_out_and_a_silent_connection_is_closed(short: Callable[..., None]) -> None:
    short(Phase.HEAD)

    async def test(served: Served) -> None:
        slow = await served.connect(b"GET / HTTP/1.1\r\nx-a: ")
        silent = await served.connect()
        assert (await slow.response())[0] == 408
        assert await slow.rest() == b""
        assert await silent.rest() == b""
        assert served.refusals == {Refusal.HEAD_TOO_SLOW: 1}

    run(test)


def test_a_head_that_never_pauses_times_out_too(short: Callable[..., None]) -> None:
    short(Phase.HEAD)

    async def test(served: Served) -> None:
        client = await served.connect(b"GET / HTTP/1.1\r\nx-a: ")

        async def drip() -> None:
            while True:
                await client.send(b"a")
                await asyncio.sleep(0.005)

        dripping = asyncio.create_task(drip())
        assert (await client.response())[0] == 408
        dripping.cancel()

    run(test)


def test_a_slow_body_times_out_and_the_application_stops(short: Callable[..., None]) -> None:
    short(Phase.BODY)

    async def test(served: Served) -> None:
        client = await served.connect(b"POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc")
        assert (await client.response())[0] == 408
        assert await client.rest() == b""
        assert (served.app.disconnects, served.refusals) == (1, {Refusal.BODY_TOO_SLOW: 1})

    run(test)


def test_a_body_that_nothing_reads_is_dropped_up_to_the_maximum() -> None:
    async def test(served: Served) -> None:
        client = await served.connect(POST + b"content-length: 1000000\r\n\r\n")
        assert (await client.response())[0] == 200
        await served.until(lambda: served.phases() == [Phase.DRAIN])
        await client.send(b"x" * 1_000_000, GET)
        assert (await client.response())[0] == 200

        endless = await served.connect(POST + b"content-length: 1000000000000\r\n\r\n")
        assert (await endless.response())[0] == 200
        with pytest.raises(ConnectionError):
            await endless.send(*[b"x" * 65_536] * 10_000)
        assert served.refusals == {Refusal.BODY_TOO_LARGE: 1}

    run(test)


def test_a_body_that_nothing_reads_and_that_stalls_ends_the_connection(short: Callable[..., None]) -> None:
    short(Phase.DRAIN)

    async def test(served: Served) -> None:
        client = await served.connect(POST + b"content-length: 1000000\r\n\r\n")
        assert (await client.response())[0] == 200
        assert await client.rest() == b""
        assert served.refusals == {Refusal.STALLED: 1}

    run(test)


def chunked(*parts: bytes) -> bytes:
    return b"POST /read HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" + b"".join(parts)


@pytest.mark.parametrize("split", [False, True])
def test_a_trailer_is_not_a_header(split: bool) -> None:
    async def test(served: Served) -> None:
        parts = [chunked(b"3\r\nabc\r\n0\r\n"), b"x-signed: yes\r\n\r\n"]
        client = await served.connect(*(parts if split else [b"".join(parts)]))
        assert (await client.response())[0] == 200
        assert served.app.bodies == [b"abc"]
        assert [name for name, _ in served.app.scopes[0]["headers"]] == [b"host", b"transfer-encoding"]

    run(test)


@pytest.mark.parametrize(
    "framing",
    [
        b"0\r\n" + b"a: b\r\n" * 100_000,
        b"0\r\nx-a: " + b"a" * 1_000_000,
        b"1;" + b"a" * 1_000_000,
        b"1;a=" + b"b;c=" * 200_000,
        b"0" * 1_000_000,
        b"fffffffffffffffff\r\n",
    ],
)
@pytest.mark.parametrize("size", [1_000_000, 1000], ids=["whole", "pieces"])
def test_what_frames_a_body_is_limited(framing: bytes, size: int) -> None:
    async def test(served: Served) -> None:
        request = chunked(framing)
        client = await served.connect()
        sending = asyncio.create_task(
            client.send(*(request[at : at + size] for at in range(0, len(request), size)))
        )
        assert (await client.response())[0] in (400, 431)
        await asyncio.gather(sending, return_exceptions=True)
        client.close()
        await served.until(lambda: served.app.disconnects == 1)
        assert served.refusals.total() == 1

    run(test)


def test_a_body_in_chunks_of_one_byte_is_accepted() -> None:
    async def test(served: Served) -> None:
        client = await served.connect(chunked(b"1\r\nx\r\n" * 100_000, b"0\r\n\r\n"))
        assert (await client.response())[0] == 200
        assert served.app.bodies == [b"x" * 100_000]

    run(test)


def test_few_requests_are_pipelined_and_the_rest_is_not_read() -> None:
    async def test(served: Served) -> None:
        client = await served.connect(GET.replace(b"/ ", b"/wait ") + GET * 5000)
        await served.until(lambda: served.app.scopes)
        served.app.release.set()
        text = await client.rest()
        assert text.count(b"HTTP/1.1 200") == MAX_PIPELINED + 1
        assert text.count(b"connection: close") == 1
        assert len(served.app.scopes) == MAX_PIPELINED + 1

    run(test)


def test_requests_that_wait_for_their_responses_can_go_on_for_ever() -> None:
    async def test(served: Served) -> None:
        client = await served.connect(GET * 10)
        for _ in range(200):
            assert (await client.response())[0] == 200
            await client.send(GET)

    run(test)


def test_a_fault_in_a_later_request_does_not_take_the_response_of_an_earlier_one() -> None:
    async def test(served: Served) -> None:
        client = await served.connect(GET.replace(b"/ ", b"/wait ") + b"nonsense\r\n\r\n")
        await served.until(lambda: served.app.scopes)
        served.app.release.set()
        text = await client.rest()
        assert text.startswith(b"HTTP/1.1 200")
        assert text.count(b"HTTP/1.1") == 1
        assert b"connection: close" in text
        assert served.refusals == {Refusal.MALFORMED: 1}

    run(test)


@pytest.mark.parametrize(
    ("request_head", "refusal"),
    [
        (POST + b"connection: upgrade\r\nupgrade: websocket\r\ncontent-length: 3\r\n\r\n", Refusal.UPGRADE),
        (GET[:-2] + b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\n\r\n", Refusal.UPGRADE),
        (GET.replace(b"1.1", b"2.0"), Refusal.MALFORMED),
        (GET.replace(b"1.1", b"0.9"), Refusal.MALFORMED),
        (GET.replace(b" HTTP/1.1", b""), Refusal.MALFORMED),
    ],
)
def test_other_protocols_are_refused(request_head: bytes, refusal: Refusal) -> None:
    async def test(served: Served) -> None:
        client = await served.connect(request_head, b"abc", GET)
        assert (await client.response())[0] == 400
        assert await client.rest() == b""
        assert (served.refusals, served.app.scopes) == ({refusal: 1}, [])

    run(test)


def test_space_around_a_value_is_no_part_of_it() -> None:
    async def test(served: Served) -> None:
        client = await served.connect(GET[:-2] + b"x-a: \t b c \t \r\n\r\n")
        assert (await client.response())[0] == 200
        assert dict(served.app.scopes[0]["headers"])[b"x-a"] == b"b c"

    run(test)


def test_a_client_that_does_not_read_is_closed(short: Callable[..., None]) -> None:
    short(Phase.ANSWER)

    async def test(served: Served) -> None:
        served.app.content = b"x" * 50_000_000
        client = await served.connect(GET * 2)
        client._reader._transport.pause_reading()  # type: ignore[attr-defined]
        await served.until(lambda: not served.state.connections)
        assert served.refusals == {Refusal.STALLED: 1}

    run(test)


def test_a_full_table_closes_the_oldest_connection_without_a_request() -> None:
    async def test(served: Served) -> None:
        idle = await served.connect(GET)
        await idle.response()
        waiting = await served.connect(GET.replace(b"/ ", b"/wait "))
        await served.until(lambda: served.phases() == [Phase.ANSWER, Phase.IDLE])
        oldest = await served.connect(b"GET / HT")
        newest = await served.connect(b"GET / HT")
        await served.until(lambda: served.phases().count(Phase.HEAD) == 2)
        extra = await served.connect(GET)
        assert (await extra.response())[0] == 200
        assert await oldest.rest() == b""
        await newest.send(b"TP/1.1\r\nhost: x\r\n\r\n")
        assert (await newest.response())[0] == 200
        served.app.release.set()
        assert (await waiting.response())[0] == 200
        assert served.refusals == {Refusal.EVICTED: 1}

    run(test, max_connections=4)


def test_a_table_full_of_accepted_requests_refuses_a_connection() -> None:
    async def test(served: Served) -> None:
        waiting = [await served.connect(GET.replace(b"/ ", b"/wait ")) for _ in range(3)]
        await served.until(lambda: served.phases() == [Phase.ANSWER] * 3)
        extra = await served.connect()
        status, answer = await extra.response()
        assert (status, b"retry-after: 2" in answer) == (503, True)
        assert await extra.rest() == b""
        served.app.release.set()
        assert [(await client.response())[0] for client in waiting] == [200] * 3
        assert served.refusals == {Refusal.FULL: 1}

    run(test, max_connections=3)


def test_an_idle_connection_is_closed() -> None:
    async def test(served: Served) -> None:
        served.config.timeout_keep_alive = 0
        client = await served.connect(GET)
        assert (await client.response())[0] == 200
        assert await client.rest() == b""

    run(test)


def test_a_reset_connection_leaves_no_timer() -> None:
    async def test(served: Served) -> None:
        client = await served.connect(GET)
        await client.response()
        await served.until(lambda: served.phases() == [Phase.IDLE])
        [protocol] = served.state.connections
        await client.reset()
        await served.until(lambda: not served.state.connections)
        assert isinstance(protocol, LimitedHttpProtocol)
        assert protocol.timeout_keep_alive_task is None

    run(test)


def test_the_maximum_body_is_above_what_eventbridge_sends() -> None:
    assert MAX_BODY_BYTES >= 4 * 256 * 1024
