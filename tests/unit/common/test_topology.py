"""The names of a fleet on its broker: valid for RabbitMQ, and different for every namespace."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from common.topology import QueueName, Topology, default_namespace, is_namespace

UUID = "58e95e2a-cd6f-408e-8707-f1bf2591f9e9"
CODES = [
    UUID,
    "my-extension-code",
    "a",
    "A",
    "a.b",
    "a b",
    "a_b",
    "a/b",
    "扩展",
    "扩展程序",
    "-a",
    "x" * 64,
    "x" * 65,
]


@pytest.mark.parametrize("code", [UUID, "my-extension-code", "a", "x" * 64])
def test_a_namespace_is_the_extension_code_where_names_allow_it(code: str) -> None:
    assert default_namespace(code) == code


def test_every_code_has_a_namespace_of_its_own() -> None:
    namespaces = [default_namespace(code) for code in CODES]
    assert all(is_namespace(namespace) for namespace in namespaces)
    assert len(set(namespaces)) == len(CODES)


@pytest.mark.parametrize("text", ["", "a.b", "-a", "_a", "a b", "a#", "a*", "x" * 65, "a\n"])
def test_what_is_no_namespace(text: str) -> None:
    assert not is_namespace(text)


def test_no_fleet_receives_a_message_of_another_one_after_a_delay() -> None:
    """All fleets of a virtual host share the exchange that routes by the end of a key."""
    fleets = [Topology(name) for name in ("cpu", "checks", "intake", "a", "io", "30s")]
    for one, other in combinations(fleets, 2):
        keys = [queue.routing_key for queue in one.task_queues]
        for queue in other.task_queues:
            assert not [
                key for key in keys if key == queue.routing_key or key.endswith(f".{queue.routing_key}")
            ]
    old = {"intake", "event", "check.cpu", "check.slow", "check.io", "report"}
    for fleet in (fleet for fleet in fleets if fleet.namespace not in old):
        for queue in fleet.task_queues:
            assert not [
                key for key in old if queue.routing_key == key or queue.routing_key.endswith(f".{key}")
            ]


def test_names_are_valid_on_rabbitmq_and_say_whose_they_are() -> None:
    topology = Topology("x" * 64)
    queues = [queue.name for queue in topology.queues]
    exchanges = [topology.exchange, topology.dead_exchange, topology.task_events_exchange]
    keys = [key for queue in topology.queues[:-1] for key in queue.routing_keys]
    assert len(set(queues)) == len(queues)
    assert len(set(exchanges)) == len(exchanges)
    names = [*queues, *exchanges, topology.parked, topology.unacked]
    for name in names:
        assert name.startswith(f"dwgate.{topology.namespace}")
    # A delayed message has 28 digits and dots before its key.
    for text in [*names, *(f"{'0.' * 28}{key}" for key in keys)]:
        assert re.fullmatch(r"[\w.-]{1,255}", text)


@pytest.mark.parametrize(("name", "seconds"), [(QueueName.ARRIVALS, 2), (QueueName.BACKSTOP, 30)])
def test_a_parked_copy_expires_into_the_queue_of_due_copies(name: QueueName, seconds: int) -> None:
    topology = Topology("ext")
    arguments = topology[name].arguments
    assert arguments["x-message-ttl"] == seconds * 1000
    assert arguments["x-dead-letter-exchange"] == topology[QueueName.DUE].exchange
    assert arguments["x-dead-letter-routing-key"] == topology[QueueName.DUE].routing_key
