"""Exchanges, queues and task names: what ingest publishes to and workers consume from.

Fleets share engines, so every name contains the namespace of its fleet. On RabbitMQ every queue is a durable
quorum queue with a delivery limit and a dead-letter exchange, bound to one topic exchange (Celery's delayed
delivery needs a topic exchange). Redis has no exchanges: there a message is sent to a queue by its name.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

TASK_INTAKE = "dwgate.intake"
TASK_CHECK = "dwgate.check"
TASK_PLAN = "dwgate.plan"
TASK_REPORT = "dwgate.report"

DELIVERY_LIMIT = 20
"""Deliveries after which RabbitMQ moves a message to the dead-letter queue.

Far more than a message that ends processes gets: the ledger counts its attempts, on every broker. The others
of its process are delivered again each time.
"""

ARRIVAL_SECONDS = 2
"""Seconds after its arrival at which the watchdog learns of an event that is not answered yet.

Below the time until the decision with the shortest deadline that a policy may set (5 seconds, of which 2 are
the margin), so that no deadline depends on intake.
"""

BACKSTOP_SECONDS = 30
"""Seconds until the watchdog looks again at the copy of an event that was not answered then."""

MAX_NAMESPACE_LENGTH = 64

_NAMESPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_OTHER_CHARACTERS = re.compile(r"[^A-Za-z0-9_-]++")
_DIGEST_LENGTH = 8


class QueueName(StrEnum):
    """A queue of a fleet. The value is its name within the namespace.

    ARRIVALS gets a copy of each new event, BACKSTOP the copies of events that are not answered yet. They have
    no consumer: their messages expire into DUE, which is a timer that survives the loss of Redis. DEAD is the
    dead-letter queue; the watchdog reads it into the ledger. A message of REPORTS is a token: it makes a
    reporter post pending reports, in the order of the ledger's report queue. CHECKS_SLOW is for CPU checks
    that need more than the allowance of CHECKS_CPU, or whose workspace has used up its budget.
    """

    INTAKE = "intake"
    CHECKS_CPU = "checks.cpu"
    CHECKS_SLOW = "checks.slow"
    CHECKS_IO = "checks.io"
    REPORTS = "reports"
    DUE = "due"
    ARRIVALS = f"backstop.{ARRIVAL_SECONDS}s"
    BACKSTOP = f"backstop.{BACKSTOP_SECONDS}s"
    DEAD = "dead"


TASK_QUEUES = (
    QueueName.INTAKE,
    QueueName.CHECKS_CPU,
    QueueName.CHECKS_SLOW,
    QueueName.CHECKS_IO,
    QueueName.REPORTS,
)
"""The queues that Celery consumes."""


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
    exchange: str

    @property
    def routing_key(self) -> str:
        """The key that reaches this queue only."""
        return self.routing_keys[0]


@dataclass(frozen=True, slots=True)
class Topology:
    """The names of one fleet on its broker.

    A routing key ends with the namespace: Celery's delayed delivery has the same exchanges for all fleets of
    a virtual host, and routes by the end of the key.

    Attributes:
        namespace: of the fleet; see `is_namespace`.
    """

    namespace: str

    @property
    def exchange(self) -> str:
        """The topic exchange of tasks and events."""
        return f"dwgate.{self.namespace}"

    @property
    def dead_exchange(self) -> str:
        """The dead-letter exchange."""
        return f"dwgate.{self.namespace}.dead"

    @property
    def task_events_exchange(self) -> str:
        """The exchange of Celery's events, which Flower consumes."""
        return f"dwgate.{self.namespace}.task-events"

    @property
    def control_name(self) -> str:
        """The name of Celery's remote control: its exchanges and queues end with `.pidbox`."""
        return f"dwgate.{self.namespace}"

    @property
    def parked(self) -> str:
        """The backstop on Redis: a sorted set of bodies of intake messages by due time (epoch seconds)."""
        return f"dwgate.{self.namespace}.parked"

    @property
    def unacked(self) -> str:
        """The beginning of the keys in which Celery's Redis transport keeps unacknowledged messages."""
        return f"dwgate.{self.namespace}.unacked"

    @property
    def event_key(self) -> str:
        """Routing key of a new event, which reaches the intake queue and, as a copy, the arrivals queue."""
        return f"event.{self.namespace}"

    def __getitem__(self, name: QueueName) -> Queue:
        """Return a queue of this fleet."""
        own_key = f"{name}.{self.namespace}"
        full_name = f"dwgate.{self.namespace}.{name}"
        if name is QueueName.DEAD:
            return Queue(full_name, ("#",), {"x-queue-type": "quorum"}, self.dead_exchange)
        if name is QueueName.ARRIVALS:
            return Queue(full_name, (self.event_key,), self._delay_arguments(ARRIVAL_SECONDS), self.exchange)
        if name is QueueName.BACKSTOP:
            return Queue(full_name, (own_key,), self._delay_arguments(BACKSTOP_SECONDS), self.exchange)
        arguments: dict[str, str | int] = {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": self.dead_exchange,
            "x-dead-letter-routing-key": full_name,
        }
        keys = (own_key, self.event_key) if name is QueueName.INTAKE else (own_key,)
        return Queue(full_name, keys, arguments, self.exchange)

    @property
    def task_queues(self) -> tuple[Queue, ...]:
        """The queues that Celery consumes."""
        return tuple(self[name] for name in TASK_QUEUES)

    @property
    def queues(self) -> tuple[Queue, ...]:
        """All queues, that of dead letters last."""
        return tuple(self[name] for name in QueueName)

    def _delay_arguments(self, seconds: int) -> dict[str, str | int]:
        return {
            "x-queue-type": "quorum",
            "x-message-ttl": seconds * 1000,
            "x-dead-letter-exchange": self.exchange,
            "x-dead-letter-routing-key": f"{QueueName.DUE}.{self.namespace}",
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }


def is_namespace(text: str) -> bool:
    """Whether `text` can be a namespace: up to 64 letters, digits, hyphens and underscores.

    It begins with a letter or digit. Without dots no namespace is the end of a routing key of another one.
    """
    return _NAMESPACE.fullmatch(text) is not None


def default_namespace(extension_code: str) -> str:
    """Return the namespace of an extension: its code, or a form of it that names on RabbitMQ may have.

    Different codes have different namespaces.
    """
    if is_namespace(extension_code):
        return extension_code
    digest = hashlib.sha256(extension_code.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_LENGTH]
    readable = _OTHER_CHARACTERS.sub("-", extension_code).strip("-_")
    readable = readable[: MAX_NAMESPACE_LENGTH - _DIGEST_LENGTH - 1].strip("-_")
    return f"{readable}-{digest}" if readable else digest
