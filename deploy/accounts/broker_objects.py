"""Everything that a fleet uses on RabbitMQ: exchanges, queues and bindings, as data.

The fleet's own objects come from `common.topology`, from which ingest and workers declare them. The others
are declared by Celery and kombu at the start of a worker; a test compares them with what is listed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kombu.transport import native_delayed_delivery as delayed

from common.topology import Topology

_LEVELS = range(delayed.MAX_LEVEL, -1, -1)
_DELAYED = delayed.CELERY_DELAYED_DELIVERY_EXCHANGE

FIRST_DELAY = delayed.level_name(delayed.MAX_LEVEL)
"""The exchange that a delayed message is published to. All fleets of a virtual host share it."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange: its name, its type, and whether it survives a restart of the broker."""

    name: str
    type: str = "topic"
    durable: bool = True


@dataclass(frozen=True, slots=True)
class DeclaredQueue:
    """A durable queue: its name and arguments."""

    name: str
    arguments: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Binding:
    """A binding from the exchange `source` to a destination, which is a queue or an exchange."""

    source: str
    destination: str
    destination_type: str
    routing_key: str


@dataclass(frozen=True, slots=True)
class BrokerObjects:
    """Objects on RabbitMQ that serve one purpose.

    Attributes:
        purpose: what they are for.
        exchanges: the exchanges.
        queues: the queues.
        bindings: the bindings.
    """

    purpose: str
    exchanges: tuple[Exchange, ...]
    queues: tuple[DeclaredQueue, ...] = ()
    bindings: tuple[Binding, ...] = ()


def broker_objects(topology: Topology) -> tuple[BrokerObjects, ...]:
    """Return all objects of a fleet, by purpose."""
    return (
        BrokerObjects(
            "tasks and events",
            (Exchange(topology.exchange), Exchange(topology.dead_exchange)),
            tuple(DeclaredQueue(queue.name, queue.arguments) for queue in topology.queues),
            tuple(
                Binding(queue.exchange, queue.name, "queue", key)
                for queue in topology.queues
                for key in queue.routing_keys
            ),
        ),
        BrokerObjects(
            "retries after a delay (quorum queues only)",
            tuple(Exchange(name) for name in (_DELAYED, *map(delayed.level_name, _LEVELS))),
            tuple(_delay_queues()),
            tuple(_delay_bindings(topology)),
        ),
        BrokerObjects(
            "Flower",
            (
                Exchange(topology.task_events_exchange),
                Exchange(commands_exchange(topology), "fanout", durable=False),
                Exchange(replies_exchange(topology), "direct", durable=False),
            ),
        ),
    )


def commands_exchange(topology: Topology) -> str:
    """Return the exchange of Celery's remote control; names of its queues end with the same words."""
    return f"{topology.control_name}.pidbox"


def replies_exchange(topology: Topology) -> str:
    """Return the exchange of the replies to Celery's remote control."""
    return f"reply.{commands_exchange(topology)}"


def _delay_queues() -> Iterator[DeclaredQueue]:
    for level in _LEVELS:
        arguments: dict[str, str | int] = {
            "x-queue-type": "quorum",
            "x-overflow": "reject-publish",
            "x-message-ttl": 2**level * 1000,
            "x-dead-letter-exchange": delayed.level_name(level - 1) if level else _DELAYED,
            "x-dead-letter-strategy": "at-least-once",
        }
        yield DeclaredQueue(delayed.level_name(level), arguments)


def _delay_bindings(topology: Topology) -> Iterator[Binding]:
    """Yield the bindings of Celery's delayed delivery, as kombu and Celery declare them.

    A routing key begins with the delay in seconds, one digit of the binary number per level: a message waits
    in the queue of a level if its digit is 1.
    """
    for position, level in enumerate(_LEVELS):
        name = delayed.level_name(level)
        skipped = "*." * position
        following = delayed.level_name(level - 1) if level else _DELAYED
        yield Binding(name, name, "queue", f"{skipped}1.#")
        yield Binding(name, following, "exchange", f"{skipped}0.#")
    for queue in topology.task_queues:
        key = f"#.{queue.routing_key}"
        yield Binding(_DELAYED, queue.exchange, "exchange", key)
        yield Binding(queue.exchange, queue.name, "queue", key)
