"""The queue source on real engines: what is acknowledged, rejected, held and returned."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from amqp import Message
from kombu.connection import Connection

from common.ledger import Ledger, connect
from common.topology import QueueName
from ingest import amqp_connection, receiver
from ingest.envelope import read_envelope
from ingest.http_protocol import MAX_BODY_BYTES
from ingest.metrics import QueueMetrics
from ingest.publishers.amqp import AmqpPublisher
from ingest.settings import QueueIngestSettings
from ingest.sources import queue_app
from tests.support.emulator_process import EXTENSION_CODE
from tests.support.engines import Valkey
from tests.support.eventbridge_signing import ACCOUNT, envelope
from tests.support.queues import TOPOLOGY
from tests.support.source_queue import SourceQueue

INTAKE = TOPOLOGY[QueueName.INTAKE]


class Ingest:
    """A running ingest with the source amqp, in this process.

    Args:
        source: its queue.
        broker_url: its own broker.
        redis_url: its ledger.
        prefetch: messages that it may hold.
    """

    def __init__(self, source: SourceQueue, broker_url: str, redis_url: str, prefetch: int = 100) -> None:
        self.source = source
        self.broker_url = broker_url
        self.ledger = Ledger(connect(redis_url, response_seconds=1), EXTENSION_CODE)
        settings = QueueIngestSettings.model_validate(
            {
                "broker_url": broker_url,
                "redis_url": redis_url,
                "extension_code": EXTENSION_CODE,
                "region": "cn-shanghai",
                "eventbridge_accounts": ACCOUNT,
                "source_url": source.url,
                "source_queue": source.name,
                "source_prefetch": prefetch,
            }
        )
        self.app = queue_app.create_app(
            settings,
            publisher=AmqpPublisher(broker_url, settings.topology),
            ledger=self.ledger,
            metrics=QueueMetrics(12.5),
            clock=time.time,
        )

    @asynccontextmanager
    async def running(self, *, is_ready: bool = True) -> AsyncIterator[httpx.AsyncClient]:
        """Run it; with `is_ready` wait until it consumes."""
        async with self.app.router.lifespan_context(self.app):
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gate") as client:
                if is_ready:
                    await until(client, "source_connected", lambda value: value == 1)
                yield client
        self.ledger.client.close()

    def queued(self) -> list[str]:
        """Take all messages from the intake queue of its own broker; return the ids of their events."""
        with Connection(self.broker_url, connect_timeout=5) as connection, connection.channel() as channel:
            found = []
            while (message := channel.basic_get(INTAKE.name, no_ack=True)) is not None:
                found += [event["message_id"] for event in orjson.loads(message.body)[0]]
            return found


async def metric(client: httpx.AsyncClient, name: str) -> float:
    """Return a metric: the sum of the series whose name begins like this."""
    text = (await client.get("/metrics")).text
    lines = [line for line in text.splitlines() if line.startswith(f"dwgate_ingest_{name}")]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


async def until(client: httpx.AsyncClient, name: str, is_met: Callable[[float], bool]) -> None:
    """Wait until a metric meets a condition."""
    async with asyncio.timeout(20):
        while not is_met(await metric(client, name)):  # noqa: ASYNC110 - a metric sends no event
            await asyncio.sleep(0.02)


async def until_events(client: httpx.AsyncClient, status: str, count: int) -> None:
    await until(client, f'events_total{{status="{status}"}}', lambda value: value == count)


@pytest.fixture
def source(broker_url: str) -> SourceQueue:
    """An empty queue in the virtual host of the own broker."""
    queue = SourceQueue(broker_url)
    queue.declare()
    return queue


@pytest.fixture
def ingest(source: SourceQueue, broker_url: str, clean_redis_url: str) -> Ingest:
    return Ingest(source, broker_url, clean_redis_url)


def test_events_are_published_and_acknowledged(ingest: Ingest) -> None:
    async def main() -> None:
        async with ingest.running() as client:
            assert (await client.get("/readyz")).json() == {"broker": True, "redis": True, "source": True}
            assert await metric(client, "source_last_message_timestamp_seconds") == 12.5
            ingest.source.publish(*[envelope(id=f"e-{number}") for number in range(30)])
            await until_events(client, "queued", 30)
            await until(client, "source_unacknowledged", lambda value: value == 0)
            assert await metric(client, "source_last_message_timestamp_seconds") == pytest.approx(
                time.time(), abs=10
            )
            assert await metric(client, "source_redelivered_total") == 0

    asyncio.run(main())
    assert sorted(ingest.queued()) == sorted(f"e-{number}" for number in range(30))
    assert ingest.source.length() == 0


def test_events_that_waited_in_the_queue_are_published_at_the_start(ingest: Ingest) -> None:
    """Not one of them fails because the own broker is not connected yet."""
    ingest.source.publish(*[envelope(id=f"e-{number}") for number in range(30)])

    async def main() -> None:
        async with ingest.running() as client:
            await until_events(client, "queued", 30)
            assert await metric(client, "unavailable_total") == 0

    asyncio.run(main())


def test_the_same_event_is_published_once(ingest: Ingest) -> None:
    async def main() -> None:
        async with ingest.running() as client:
            ingest.source.publish(*[envelope()] * 5)
            await until_events(client, "duplicate", 4)
            await until_events(client, "queued", 1)

    asyncio.run(main())
    assert len(ingest.queued()) == 1
    assert ingest.source.length() == 0


POISON = {
    "empty": (b"", "body is not JSON"),
    "no-json": (b"not json", "body is not JSON"),
    "no-utf-8": (b"\xff\xfe", "body is not JSON"),
    "deep": (b"[" * 100_000, "body is not JSON"),
    "base64": (b"eyJpZCI6ICIxIn0=", "body is not JSON"),
    "array": (b"[%b]" % envelope(), "body is not a JSON object"),
    "no-account": (envelope(aliyunaccountid=None), "aliyunaccountid is missing"),
    "other-account": (envelope(aliyunaccountid="42"), "aliyunaccountid is of another account"),
    "no-id": (envelope(id=None), "id is missing or not text"),
    "no-type": (envelope(type=None), "type is missing or not text"),
    "data": (envelope(data=3), "data is not an object"),
    "too-large": (b"x" * (MAX_BODY_BYTES + 1), f"body is longer than {MAX_BODY_BYTES} bytes"),
}


def test_poison_is_in_the_reject_list_and_acknowledged(ingest: Ingest) -> None:
    async def main() -> None:
        async with ingest.running() as client:
            ingest.source.publish(*[body for body, _ in POISON.values()], envelope())
            await until_events(client, "rejected", len(POISON))
            await until_events(client, "queued", 1)
            await until(client, "source_unacknowledged", lambda value: value == 0)
            assert await metric(client, 'refused_total{reason="account"}') == 1
            assert await metric(client, "source_redelivered_total") == 0

    asyncio.run(main())
    assert len(ingest.queued()) == 1
    assert ingest.source.length() == 0
    kept = [(item["reason"], item["body"]) for item in ingest.ledger.rejects()]
    expected = [(reason, body[:65536].decode(errors="replace")) for body, reason in POISON.values()]
    assert sorted(kept) == sorted(expected)
    ingest.ledger.client.close()


def test_a_message_that_shows_a_defect_is_no_endless_loop(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    original = read_envelope

    def fail_for_one(body: bytes) -> Any:
        if b"strange" in body:
            raise TypeError("made up")
        return original(body)

    monkeypatch.setattr(receiver, "read_envelope", fail_for_one)

    async def main() -> None:
        async with ingest.running() as client:
            ingest.source.publish(envelope(id="strange"), envelope())
            await until_events(client, "rejected", 1)
            await until_events(client, "queued", 1)

    asyncio.run(main())
    assert "message_failed" in capfd.readouterr().out
    [kept] = ingest.ledger.rejects()
    assert "unexpected error" in kept["reason"]
    ingest.ledger.client.close()


def test_what_needs_no_answer_is_acknowledged(ingest: Ingest) -> None:
    async def main() -> None:
        async with ingest.running() as client:
            unknown = {"type": "dataworks:ModelChange:PublishModel", "data": {"extensionBizId": "59d"}}
            plain = {"type": "dataworks:NodeChange:NodeChangeCreated"}
            ingest.source.publish(envelope(**unknown), envelope(**plain))
            await until_events(client, "ignored", 2)
            assert await metric(client, "unknown_points_total") == 1

    asyncio.run(main())
    assert ingest.queued() == []
    assert ingest.source.length() == 0


def limit_intake(url: str) -> None:
    """Make the own broker reject every event: its intake queue is full."""
    arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
    with Connection(url, connect_timeout=5) as connection, connection.channel() as channel:
        channel.exchange_declare(TOPOLOGY.exchange, "topic", durable=True, auto_delete=False)
        channel.queue_declare(INTAKE.name, durable=True, auto_delete=False, arguments=arguments)
        channel.queue_bind(INTAKE.name, TOPOLOGY.exchange, TOPOLOGY.event_key)
        channel.basic_publish(Message("[[],{},{}]", content_encoding="utf-8"), "", INTAKE.name)


def test_while_the_own_broker_rejects_events_a_bounded_number_is_held_and_none_returned(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_intake(ingest.broker_url)
    monkeypatch.setattr("ingest.publishers.amqp._declare", _nothing)
    held = Ingest(ingest.source, ingest.broker_url, _redis_url(ingest), prefetch=5)
    held.source.publish(*[envelope(id=f"e-{number}") for number in range(40)])

    async def main() -> None:
        async with held.running() as client:
            await until(client, "source_unacknowledged", lambda value: value == 5)
            # Each of the five fails once, then one at a time, after 0.5, 1 and 2 seconds.
            await until(client, "unavailable_total", lambda value: value >= 7)
            assert await metric(client, "unavailable_total") <= 8
            assert held.source.length() == 35
            assert await metric(client, "source_redelivered_total") == 0
            assert await metric(client, "events_total") == 0
            with Connection(held.broker_url) as connection, connection.channel() as channel:
                channel.queue_delete(INTAKE.name)
                arguments = dict(INTAKE.arguments)
                channel.queue_declare(INTAKE.name, durable=True, auto_delete=False, arguments=arguments)
                channel.queue_bind(INTAKE.name, TOPOLOGY.exchange, TOPOLOGY.event_key)
            await until_events(client, "queued", 40)

    asyncio.run(main())
    assert set(held.queued()) == {f"e-{number}" for number in range(40)}
    assert held.source.length() == 0
    ingest.ledger.client.close()


async def _nothing(*_: object) -> None:
    """Declare no queue."""


def _redis_url(ingest: Ingest) -> str:
    options = ingest.ledger.client.connection_pool.connection_kwargs
    return f"redis://:{options['password']}@{options['host']}:{options['port']}/0"


def test_at_its_end_it_returns_what_it_holds(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    limit_intake(ingest.broker_url)
    monkeypatch.setattr("ingest.publishers.amqp._declare", _nothing)
    ingest.source.publish(*[envelope(id=f"e-{number}") for number in range(20)])

    async def main() -> None:
        async with ingest.running() as client:
            await until(client, "unavailable_total", lambda value: value >= 20)
            ended.append(time.monotonic())
        ended.append(time.monotonic())

    ended: list[float] = []
    asyncio.run(main())
    assert ended[1] - ended[0] < 3
    assert ingest.source.length() == 20
    assert ingest.queued() == []


def test_without_redis_poison_is_held_and_events_pass(ingest: Ingest, valkey: Valkey) -> None:
    async def main() -> None:
        async with ingest.running() as client:
            await asyncio.to_thread(valkey.kill)
            ingest.source.publish(b"poison-1", b"poison-2", envelope())
            await until_events(client, "queued", 1)
            await until(client, 'unavailable_total{cause="redis"}', lambda value: value >= 3)
            assert await metric(client, "source_unacknowledged") == 2
            assert (await client.get("/readyz")).json() == {"broker": True, "redis": False, "source": True}
            await asyncio.to_thread(valkey.start)
            await until_events(client, "rejected", 2)

    asyncio.run(main())
    assert ingest.source.length() == 0
    assert len(ingest.queued()) == 1


def test_a_queue_that_is_deleted_is_consumed_again_when_it_is_there(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(amqp_connection, "REFUSED_SECONDS", 0.2)

    async def main() -> None:
        async with ingest.running() as client:
            ingest.source.delete()
            await until(client, "source_connected", lambda value: value == 0)
            assert (await client.get("/readyz")).status_code == 503
            async with asyncio.timeout(20):
                while "broker_refused" not in seen[0]:
                    await asyncio.sleep(0.05)
                    seen[0] += capfd.readouterr().out
            ingest.source.declare()
            await until(client, "source_connected", lambda value: value == 1)
            ingest.source.publish(envelope())
            await until_events(client, "queued", 1)

    seen = [""]
    asyncio.run(main())
    assert "NOT_FOUND - no queue" in seen[0]
    assert "guest:guest" not in seen[0]


def test_no_message_is_taken_before_the_own_broker_responds(
    source: SourceQueue, clean_redis_url: str
) -> None:
    ingest = Ingest(source, "amqp://guest:guest@127.0.0.1:1/", clean_redis_url)
    source.publish(envelope())

    async def main() -> None:
        async with ingest.running(is_ready=False) as client:
            await asyncio.sleep(1)  # long enough for a connection to the source
            assert (await client.get("/readyz")).json() == {"broker": False, "redis": True, "source": False}
            assert await metric(client, "unavailable_total") == 0
            assert source.length() == 1

    asyncio.run(main())
    assert source.length() == 1
