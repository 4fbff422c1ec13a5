"""The topology as kombu objects: declared quorum queues on RabbitMQ, plain names on Redis."""

from __future__ import annotations

from kombu import Exchange, binding
from kombu import Queue as KombuQueue

from common.topology import TASK_QUEUES, Queue, QueueName, Topology


def build_exchange(name: str, *, declare: bool) -> Exchange:
    """Return a topic exchange of dwgate on RabbitMQ; without `declare` it must exist already."""
    return Exchange(name, type="topic", durable=True, no_declare=not declare)


def build_amqp_queue(queue: Queue, *, declare: bool, is_quorum: bool | None = None) -> KombuQueue:
    """Return `queue` for RabbitMQ.

    Args:
        queue: the queue.
        declare: whether it is declared on use; otherwise it must exist already.
        is_quorum: whether an existing queue has the arguments of a quorum queue, which Celery treats
            differently; by default as `declare`.
    """
    topic = build_exchange(queue.exchange, declare=declare)
    return KombuQueue(
        queue.name,
        topic,
        routing_key=queue.routing_key,
        bindings=[binding(topic, routing_key=key) for key in queue.routing_keys],
        durable=True,
        queue_arguments=queue.arguments if (declare if is_quorum is None else is_quorum) else None,
        no_declare=not declare,
    )


def build_plain_queue(queue: Queue) -> KombuQueue:
    """Return `queue` for a broker without exchanges, where its name is the routing key."""
    return KombuQueue(queue.name, Exchange(""), routing_key=queue.name)


def find_queue(topology: Topology, routing_key: str) -> QueueName:
    """Return the task queue that a message with `routing_key` came from.

    It is a routing key of the queue, such a key with the prefix of Celery's delayed delivery
    (`0.1.….checks.cpu.NAMESPACE`), or on a broker without exchanges the queue's name.

    Raises:
        LookupError: no task queue has such a key.
    """
    for name in TASK_QUEUES:
        queue = topology[name]
        for key in (queue.name, *queue.routing_keys):
            if routing_key == key or routing_key.endswith(f".{key}"):
                return name
    raise LookupError(f"no task queue has the routing key {routing_key}")


def queue_label(topology: Topology, routing_key: str) -> str:
    """Return the name of the task queue within its namespace, for metrics and logs; `other` for none."""
    try:
        return find_queue(topology, routing_key)
    except LookupError:
        return "other"
