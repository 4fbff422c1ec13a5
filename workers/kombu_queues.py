"""The topology as kombu objects: declared quorum queues on RabbitMQ, plain names on Redis."""

from __future__ import annotations

from kombu import Exchange, Queue, binding

from common import topology


def build_exchange(name: str = topology.EXCHANGE, *, declare: bool) -> Exchange:
    """Return a topic exchange of dwgate on RabbitMQ; without `declare` it must exist already."""
    return Exchange(name, type="topic", durable=True, no_declare=not declare)


def build_amqp_queue(queue: topology.Queue, *, declare: bool, is_quorum: bool | None = None) -> Queue:
    """Return `queue` for RabbitMQ.

    Args:
        queue: the queue.
        declare: whether it is declared on use; otherwise it must exist already.
        is_quorum: whether an existing queue has the arguments of a quorum queue, which Celery treats
            differently; by default as `declare`.
    """
    topic = build_exchange(queue.exchange, declare=declare)
    return Queue(
        queue.name,
        topic,
        routing_key=queue.routing_keys[0],
        bindings=[binding(topic, routing_key=key) for key in queue.routing_keys],
        durable=True,
        queue_arguments=queue.arguments if (declare if is_quorum is None else is_quorum) else None,
        no_declare=not declare,
    )


def build_plain_queue(queue: topology.Queue) -> Queue:
    """Return `queue` for a broker without exchanges, where its name is the routing key."""
    return Queue(queue.name, Exchange(""), routing_key=queue.name)


def name_for(routing_key: str) -> str:
    """Return the name of the task queue that a message with `routing_key` came from.

    It is a routing key of the queue, such a key with the prefix of Celery's delayed delivery
    (`0.1.….check.cpu`), or on a broker without exchanges the queue's name.

    Raises:
        LookupError: no task queue has such a key.
    """
    for queue in topology.TASK_QUEUES:
        for key in (queue.name, *queue.routing_keys):
            if routing_key == key or routing_key.endswith(f".{key}"):
                return queue.name
    raise LookupError(f"no task queue has the routing key {routing_key}")
