"""Exchanges, queues and task names: what ingest publishes to and workers consume from.

On RabbitMQ every queue is a durable quorum queue with a delivery limit and a dead-letter exchange, bound
to one topic exchange (Celery's delayed delivery needs a topic exchange). Redis has no exchanges: there a
message is sent to a queue by its name.
"""

from __future__ import annotations

from dataclasses import dataclass

EXCHANGE = "dwgate"
DEAD_EXCHANGE = "dwgate.dead"

TASK_INTAKE = "dwgate.intake"
TASK_CHECK = "dwgate.check"
TASK_REPORT = "dwgate.report"

DELIVERY_LIMIT = 5
"""Deliveries after which RabbitMQ moves a message to the dead-letter queue."""

BACKSTOP_SECONDS = 30
"""Seconds that a copy of each event is parked before the watchdog checks whether the event was processed."""

ROUTING_EVENT = "event"
"""Routing key of a new event, which reaches the intake queue and, as a copy, the backstop queue."""


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue and its declaration for RabbitMQ.

    Attributes:
        name: its name, on any broker.
        routing_keys: topic keys that it is bound to; the first one reaches this queue only.
        arguments: the RabbitMQ arguments it is declared with.
        exchange: the topic exchange it is bound to.
    """

    name: str
    routing_keys: tuple[str, ...]
    arguments: dict[str, str | int]
    exchange: str = EXCHANGE


def _quorum(name: str, *routing_keys: str) -> Queue:
    arguments: dict[str, str | int] = {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": DEAD_EXCHANGE,
        "x-dead-letter-routing-key": name,
    }
    return Queue(name, routing_keys, arguments)


INTAKE = _quorum("dwgate.intake", "intake", ROUTING_EVENT)
CHECKS_CPU = _quorum("dwgate.checks.cpu", "check.cpu")
CHECKS_SLOW = _quorum("dwgate.checks.slow", "check.slow")
"""CPU checks that need more than the allowance of CHECKS_CPU, or whose workspace has used up its budget."""

CHECKS_IO = _quorum("dwgate.checks.io", "check.io")
REPORTS = _quorum("dwgate.reports", "report")
"""Tokens: each makes a reporter post the pending reports, in the order of the ledger's report queue."""

TASK_QUEUES = (INTAKE, CHECKS_CPU, CHECKS_SLOW, CHECKS_IO, REPORTS)
"""The queues that Celery consumes."""

DUE = _quorum("dwgate.due", "due")
"""Receives parked copies whose delay has expired; consumed by the watchdog."""

BACKSTOP = Queue(
    f"dwgate.backstop.{BACKSTOP_SECONDS}s",
    ("backstop", ROUTING_EVENT),
    {
        "x-queue-type": "quorum",
        "x-message-ttl": BACKSTOP_SECONDS * 1000,
        "x-dead-letter-exchange": EXCHANGE,
        "x-dead-letter-routing-key": DUE.routing_keys[0],
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    },
)
"""Has no consumer: its messages expire into DUE. This is a timer that survives the loss of Redis."""

PARKED = "dwgate.parked"
"""The backstop on Redis: a sorted set of bodies of intake messages by due time (epoch seconds)."""

DEAD = Queue("dwgate.dead", ("#",), {"x-queue-type": "quorum"}, DEAD_EXCHANGE)
"""The dead-letter queue; the watchdog reads it into the ledger."""

QUEUES = (*TASK_QUEUES, DUE, BACKSTOP)
"""All queues bound to EXCHANGE."""
