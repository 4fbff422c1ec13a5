"""Several nodes of RabbitMQ in one setting: the next one is used when one is down, hangs or is lost."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from kombu import Producer, Queue
from pydantic import SecretStr

from common.engines.urls import Address, addresses_of
from common.events import Event
from common.settings import BrokerSettings
from common.tls import SYSTEM_STORE, TlsFiles
from console.engine_access import require_broker_access
from console.errors import EngineRefused
from ingest.celery_message import SerializedEvent, build_message
from ingest.publishers.amqp import AmqpPublisher
from ingest.publishers.base import PublishFailed
from tests.support.certificates import Authority
from tests.support.engines import free_port
from tests.support.impostor import Impostor
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import wait_for
from tests.support.tcp_relay import TcpRelay, Toxic
from workers.broker import amqp_transport
from workers.broker.amqp_transport import new_connection

QUEUE = "some"
MESSAGE = build_message([SerializedEvent.from_event(Event("m-1", "freeze-node", 7, "u", True, {}, 1000.0))])


def at_port(url: str, port: int) -> str:
    """Return the URL of a node with another port."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{port}")).geturl()


@contextmanager
def relays(url: str) -> Iterator[tuple[TcpRelay, TcpRelay]]:
    """Two addresses of the same broker, each of which can be cut."""
    port = urlsplit(url).port
    assert port
    both = TcpRelay(port), TcpRelay(port)
    for relay in both:
        relay.start()
    try:
        yield both
    finally:
        for relay in both:
            relay.close()


def cut(relay: TcpRelay) -> None:
    """Reset its connections at the next response, and serve no further one."""
    relay.target = free_port()
    relay.toxic = Toxic(reset_peer=True)


def prefer(url: str, port: int) -> None:
    """Let this process try the node at a port first."""
    rotation = amqp_transport._rotation(addresses_of(url))
    for address in rotation.in_order():
        if address.port != port:
            rotation.note_failure(address)


def connected_port(url: str) -> int:
    """Connect, and return the port of the node."""
    with new_connection(url, SYSTEM_STORE, connect_seconds=2) as connection:
        connection.connect()
        return int(connection.port)


def test_a_node_that_is_down_is_passed_over_and_then_tried_last(broker_url: str) -> None:
    dead = free_port()
    url = f"{at_port(broker_url, dead)};{broker_url}"
    prefer(url, dead)
    alive = urlsplit(broker_url).port
    assert connected_port(url) == alive
    assert amqp_transport._rotation(addresses_of(url)).in_order()[0] == Address("127.0.0.1", alive or 0)


def test_a_node_that_hangs_costs_its_time_limit_once(broker_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        port = hanging.getsockname()[1]
        url = f"{broker_url};{at_port(broker_url, port)}"
        prefer(url, port)
        began = time.monotonic()
        assert connected_port(url) != port
        assert time.monotonic() - began >= 2
        hanging.settimeout(5)
        hanging.accept()[0].close()
        assert connected_port(url) != port
        hanging.setblocking(False)
        with pytest.raises(BlockingIOError):
            hanging.accept()


def test_a_publish_goes_to_the_next_node_when_the_connection_is_lost(broker_url: str) -> None:
    with relays(broker_url) as (first, second):
        url = f"{at_port(broker_url, first.port)};{at_port(broker_url, second.port)}"
        prefer(url, first.port)
        with new_connection(url, SYSTEM_STORE, connect_seconds=2) as connection:
            Queue(QUEUE)(connection.default_channel).declare()
            producer = Producer(connection)
            producer.publish({}, routing_key=QUEUE)
            assert connection.port == first.port
            cut(first)
            producer.publish({}, routing_key=QUEUE, retry=True, retry_policy={"max_retries": 1})
            assert connection.port == second.port


def test_ingest_uses_the_node_that_serves(broker_url: str) -> None:
    async def main() -> None:
        with relays(broker_url) as pair:
            ports = {relay.port: relay for relay in pair}
            url = ";".join(at_port(broker_url, port) for port in (free_port(), *ports))
            publisher = AmqpPublisher(url, TOPOLOGY)
            await publisher.start()
            await publish_until_confirmed(publisher)
            connected = publisher._nodes._urls.in_order()[0].port
            assert connected
            cut(ports[connected])
            await publish_until_confirmed(publisher)
            await publisher.close()

    asyncio.run(main())


async def publish_until_confirmed(publisher: AmqpPublisher) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                return await publisher.publish(MESSAGE)
            except PublishFailed:
                await asyncio.sleep(0.05)


def test_a_refusal_is_one_line_with_all_nodes(broker_url: str) -> None:
    dead = free_port()
    wrong = broker_url.replace("guest:guest", "guest:wrong-password")
    settings = BrokerSettings(broker_url=SecretStr(f"{at_port(wrong, dead)};{wrong}"), extension_code="ext")
    port = urlsplit(broker_url).port
    with pytest.raises(EngineRefused) as raised:
        require_broker_access(settings)
    assert str(raised.value) == (
        f"the broker at 127.0.0.1:{dead}, 127.0.0.1:{port} refuses the settings:"
        " the user or the password is wrong"
    )


def test_each_node_is_verified_by_its_own_name(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    expired = authority.issue("expired", "127.0.0.1", is_expired=True)
    right = authority.issue("right", "localhost")
    with Impostor(expired) as refused, Impostor(right) as trusted:
        url = f"amqps://u:made-up@127.0.0.1:{refused.port}/%2F;amqps://u:made-up@localhost:{trusted.port}/%2F"
        prefer(url, refused.port)
        tls = TlsFiles(authority.ca_file)
        with new_connection(url, tls, connect_seconds=1) as connection, pytest.raises(OSError):  # noqa: PT011
            connection.connect()
        wait_for(lambda: b"made-up" in trusted.received)
        assert refused.received == b""
