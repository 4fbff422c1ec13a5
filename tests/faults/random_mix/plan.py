"""Draws a mix of events and faults from a seed; pure, so that a seed always gives the same mix.

Every fault begins within FAULT_SECONDS and ends MAX_FAULT_SECONDS later at most, engines restart in a few
seconds, and no target has two faults at once. So the fleet is whole again long before DEADLINE_SECONDS, and a
verdict that is late or missing is a broken promise, not the fault's effect.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

EVENTS = 24
EVENT_SECONDS = 5.0
"""The events arrive within this time."""

FAULT_SECONDS = 6.0
MAX_FAULT_SECONDS = 4.0
MAX_FAULTS = 7

DEADLINE_SECONDS = 90
"""Deadline of every event: longer than the visibility timeout on Redis and the delay of the backstop."""


class Engine(StrEnum):
    """The broker of the fleet."""

    RABBITMQ = "rabbitmq"
    EMBEDDED = "embedded"


class Kind(StrEnum):
    """A kind of fault."""

    KILL_WORKER = "kill-worker"
    """SIGKILL of a worker with its processes; another one is started."""
    STOP_WORKER = "stop-worker"
    """SIGTERM of a worker; another one is started."""
    PAUSE_WORKER = "pause-worker"
    """SIGSTOP of a worker's processes, then SIGCONT."""
    KILL_CHILD = "kill-child"
    """SIGKILL of one process of a worker."""
    KILL_INGEST = "kill-ingest"
    STOP_INGEST = "stop-ingest"
    PAUSE_REDIS = "pause-redis"
    KILL_REDIS = "kill-redis"
    """SIGKILL, then a restart with its append-only file."""
    REDIS_FULL = "redis-full"
    """`maxmemory` is reached: writes are refused."""
    REDIS_READONLY = "redis-readonly"
    """It becomes a replica behind the same address, as in a managed failover."""
    PAUSE_BROKER = "pause-broker"
    KILL_BROKER = "kill-broker"
    BROKER_ALARM = "broker-alarm"
    """Memory alarm: publishers are blocked."""
    GARBAGE = "garbage"
    """Messages that are no tasks, in every queue."""
    OPENAPI_THROTTLED = "openapi-throttled"
    OPENAPI_ERROR = "openapi-error"
    OPENAPI_RESET = "openapi-reset"
    OPENAPI_LOST = "openapi-lost"
    """The operation takes effect, its response is lost."""
    OPENAPI_SLOW = "openapi-slow"


class Target(StrEnum):
    """What a fault is done to."""

    WORKER_1 = "worker-1"
    WORKER_2 = "worker-2"
    INGEST = "ingest"
    REDIS = "redis"
    BROKER = "broker"
    QUEUES = "queues"
    DATAWORKS = "dataworks"


_WORKERS = (Target.WORKER_1, Target.WORKER_2)
_TARGETS: dict[Kind, Sequence[Target]] = {
    Kind.KILL_WORKER: _WORKERS,
    Kind.STOP_WORKER: _WORKERS,
    Kind.PAUSE_WORKER: _WORKERS,
    Kind.KILL_CHILD: _WORKERS,
    Kind.KILL_INGEST: (Target.INGEST,),
    Kind.STOP_INGEST: (Target.INGEST,),
    Kind.PAUSE_REDIS: (Target.REDIS,),
    Kind.KILL_REDIS: (Target.REDIS,),
    Kind.REDIS_FULL: (Target.REDIS,),
    Kind.REDIS_READONLY: (Target.REDIS,),
    Kind.PAUSE_BROKER: (Target.BROKER,),
    Kind.KILL_BROKER: (Target.BROKER,),
    Kind.BROKER_ALARM: (Target.BROKER,),
    Kind.GARBAGE: (Target.QUEUES,),
    Kind.OPENAPI_THROTTLED: (Target.DATAWORKS,),
    Kind.OPENAPI_ERROR: (Target.DATAWORKS,),
    Kind.OPENAPI_RESET: (Target.DATAWORKS,),
    Kind.OPENAPI_LOST: (Target.DATAWORKS,),
    Kind.OPENAPI_SLOW: (Target.DATAWORKS,),
}
_OF_RABBITMQ = frozenset({Kind.PAUSE_BROKER, Kind.KILL_BROKER, Kind.BROKER_ALARM})


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """An event.

    Attributes:
        at: when it is sent, in seconds from the start.
        sample: name of its sample.
        repeats: seconds after its acceptance at which it is delivered again.
    """

    at: float
    sample: str
    repeats: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A fault.

    Attributes:
        at: when it begins, in seconds from the start.
        seconds: how long it lasts, where it has a duration.
        kind: what happens.
        target: to what.
        choice: a number from 0 to 1 that selects a detail, such as the child process.
    """

    at: float
    seconds: float
    kind: Kind
    target: Target
    choice: float

    def __str__(self) -> str:
        return f"{self.at:4.1f} s  {self.kind} {self.target}, {self.seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class Mix:
    """The events and faults of a seed, each in order of time."""

    seed: int
    events: tuple[PlannedEvent, ...]
    faults: tuple[PlannedFault, ...]


def draw_mix(seed: int, engine: Engine, samples: Sequence[str]) -> Mix:
    """Return the mix of a seed.

    Args:
        seed: any number.
        engine: the broker; some faults exist on RabbitMQ only.
        samples: names of the samples to draw from.
    """
    # Not for security; the same numbers on every machine and version of Python.
    draw = random.Random(seed)  # noqa: S311
    events = sorted((_draw_event(draw, samples) for _ in range(EVENTS)), key=lambda event: event.at)
    kinds = [kind for kind in Kind if engine is Engine.RABBITMQ or kind not in _OF_RABBITMQ]
    faults: list[PlannedFault] = []
    for _ in range(draw.randint(2, MAX_FAULTS)):
        fault = _draw_fault(draw, kinds)
        if not any(_overlap(fault, other) for other in faults):
            faults.append(fault)
    return Mix(seed, tuple(events), tuple(sorted(faults, key=lambda fault: fault.at)))


def _draw_event(draw: random.Random, samples: Sequence[str]) -> PlannedEvent:
    repeats = [draw.uniform(0, 3) for _ in range(draw.choice((0, 0, 0, 1, 2)))]
    return PlannedEvent(draw.uniform(0, EVENT_SECONDS), draw.choice(samples), tuple(sorted(repeats)))


def _draw_fault(draw: random.Random, kinds: Sequence[Kind]) -> PlannedFault:
    kind = draw.choice(kinds)
    return PlannedFault(
        at=draw.uniform(0, FAULT_SECONDS),
        seconds=draw.uniform(0.5, MAX_FAULT_SECONDS),
        kind=kind,
        target=draw.choice(_TARGETS[kind]),
        choice=draw.random(),
    )


def _overlap(one: PlannedFault, other: PlannedFault) -> bool:
    """Whether two faults have the same target at the same time; a restart takes a few seconds more."""
    return one.target == other.target and one.at < _over_at(other) and other.at < _over_at(one)


def _over_at(fault: PlannedFault) -> float:
    return fault.at + fault.seconds + MAX_FAULT_SECONDS
