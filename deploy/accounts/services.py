"""The services that have accounts, and what each of them does on the engines: data without I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from common import topology
from common.topology import Queue

_CPU_QUEUES = (topology.CHECKS_CPU, topology.CHECKS_SLOW)
_CPU_KEYS = tuple(queue.routing_keys[0] for queue in _CPU_QUEUES)
_CHECK_KEYS = (*_CPU_KEYS, topology.CHECKS_IO.routing_keys[0])
_INTAKE_KEY = topology.INTAKE.routing_keys[0]
_REPORT_KEY = topology.REPORTS.routing_keys[0]


class RedisAccess(Enum):
    """What a service does with the keys of its extension.

    Attributes:
        NONE: it has no account in Redis.
        REJECTS: it adds to the rejected messages.
        OUTCOMES: it reads events and records outcomes; it reads remembered policies and cannot change them.
        FULL: everything, but no command that administers Redis.
    """

    NONE = auto()
    REJECTS = auto()
    OUTCOMES = auto()
    FULL = auto()


@dataclass(frozen=True, slots=True)
class Service:
    """One service, by what it does.

    Attributes:
        name: of its accounts.
        consumes: the queues that it consumes.
        publishes: the routing keys that it publishes with to the exchange of dwgate.
        delays: those of them that it also publishes with a delay.
        sends_events: whether it sends Celery events, for Flower.
        commanded_as: prefixes of the names of its processes that obey remote control.
        is_monitor: whether it receives Celery events, sends commands, and reads the management API.
        redis: its use of Redis.
    """

    name: str
    consumes: tuple[Queue, ...] = ()
    publishes: tuple[str, ...] = ()
    delays: tuple[str, ...] = ()
    sends_events: bool = False
    commanded_as: tuple[str, ...] = ()
    is_monitor: bool = False
    redis: RedisAccess = RedisAccess.NONE


SERVICES = (
    Service("ingest", publishes=(topology.ROUTING_EVENT,), redis=RedisAccess.REJECTS),
    # It reads node code: it cannot reach intake, declare anything, or receive commands.
    Service(
        "checks",
        consumes=_CPU_QUEUES,
        publishes=(*_CPU_KEYS, _REPORT_KEY),
        delays=_CPU_KEYS,
        sends_events=True,
        redis=RedisAccess.OUTCOMES,
    ),
    Service(
        "io",
        consumes=(topology.INTAKE, topology.CHECKS_IO, topology.REPORTS),
        publishes=(_INTAKE_KEY, *_CHECK_KEYS, _REPORT_KEY),
        delays=(_INTAKE_KEY, topology.CHECKS_IO.routing_keys[0], _REPORT_KEY),
        sends_events=True,
        commanded_as=("io", "reporter"),
        redis=RedisAccess.FULL,
    ),
    Service(
        "watchdog",
        consumes=(topology.DUE, topology.DEAD),
        publishes=(topology.BACKSTOP.routing_keys[0], _INTAKE_KEY, *_CHECK_KEYS, _REPORT_KEY),
        sends_events=True,
        redis=RedisAccess.FULL,
    ),
    Service("flower", is_monitor=True),
    Service("operator", publishes=(_INTAKE_KEY,), redis=RedisAccess.FULL),
)
"""Every service of the Compose file; `operator` is a person with the command line."""
