"""The services that have accounts, and what each of them does on the engines: data without I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from common.topology import QueueName

_CPU_QUEUES = (QueueName.CHECKS_CPU, QueueName.CHECKS_SLOW)
_CHECK_QUEUES = (*_CPU_QUEUES, QueueName.CHECKS_IO)


class RedisAccess(Enum):
    """What a service does with the keys of its extension.

    Attributes:
        NONE: it has no account in Redis.
        REJECTS: it adds to the rejected messages.
        OUTCOMES: it reads events, records outcomes and requests lookups; it reads remembered policies and
            responses of DataWorks, and cannot change them.
        REQUEUES: it reads everything, requeues events, and adds to the audit trail; what it asks DataWorks
            counts towards the quota.
        FULL: everything, but no command that administers Redis.
    """

    NONE = auto()
    REJECTS = auto()
    OUTCOMES = auto()
    REQUEUES = auto()
    FULL = auto()


@dataclass(frozen=True, slots=True)
class Service:
    """One service, by what it does.

    Attributes:
        name: of its accounts.
        consumes: the queues that it consumes.
        publishes: the queues that it publishes to.
        delays: those of them that it also publishes to with a delay.
        publishes_events: whether it publishes new events.
        sends_events: whether it sends Celery events, for Flower.
        commanded_as: prefixes of the names of its processes that obey remote control.
        is_monitor: whether it receives Celery events, sends commands, and reads the management API.
        redis: its use of Redis.
    """

    name: str
    consumes: tuple[QueueName, ...] = ()
    publishes: tuple[QueueName, ...] = ()
    delays: tuple[QueueName, ...] = ()
    publishes_events: bool = False
    sends_events: bool = False
    commanded_as: tuple[str, ...] = ()
    is_monitor: bool = False
    redis: RedisAccess = RedisAccess.NONE


SERVICES = (
    Service("ingest", publishes_events=True, redis=RedisAccess.REJECTS),
    # It reads node code: it cannot reach intake, declare anything, or receive commands.
    Service(
        "checks",
        consumes=_CPU_QUEUES,
        publishes=(*_CPU_QUEUES, QueueName.REPORTS),
        delays=_CPU_QUEUES,
        sends_events=True,
        redis=RedisAccess.OUTCOMES,
    ),
    Service(
        "io",
        consumes=(QueueName.INTAKE, QueueName.CHECKS_IO, QueueName.REPORTS),
        publishes=(QueueName.INTAKE, *_CHECK_QUEUES, QueueName.REPORTS),
        delays=(QueueName.INTAKE, QueueName.CHECKS_IO, QueueName.REPORTS),
        sends_events=True,
        commanded_as=("io", "reporter"),
        redis=RedisAccess.FULL,
    ),
    Service(
        "watchdog",
        consumes=(QueueName.DUE, QueueName.DEAD),
        publishes=(QueueName.BACKSTOP, QueueName.INTAKE, *_CHECK_QUEUES, QueueName.REPORTS),
        sends_events=True,
        redis=RedisAccess.FULL,
    ),
    Service("console", publishes=(QueueName.INTAKE,), redis=RedisAccess.REQUEUES),
    Service("flower", is_monitor=True),
    Service("operator", publishes=(QueueName.INTAKE,), redis=RedisAccess.FULL),
)
"""Every service of the Compose file; `operator` is a person with the command line."""
