"""Finds processes of another fleet that use the names of this one: both would take each other's events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from celery import Celery
from kombu import Connection

from common.topology import QueueName, Topology
from console.diagnoses.doctor_findings import Diagnosis, Health
from workers.process.roles import GROUPS

PING_SECONDS = 1.0

_WATCHDOG_QUEUES = (QueueName.DUE, QueueName.DEAD)


def count_consumers(connection: Connection, topology: Topology) -> dict[QueueName, int]:
    """Return the number of consumers of each queue that exists on RabbitMQ."""
    found = {}
    for name in QueueName:
        try:
            with connection.channel() as channel:
                found[name] = channel.queue_declare(topology[name].name, passive=True).consumer_count
        except connection.channel_errors:
            continue
    return found


def check_consumers(consumers: Mapping[QueueName, int], workers: Collection[str]) -> Diagnosis:
    """Diagnose whether a queue has more consumers than this fleet has processes for it.

    Args:
        consumers: number of consumers by queue.
        workers: names of the worker processes of this fleet, from their heartbeats.
    """
    expected = _expected_consumers(workers)
    if foreign := [name for name, count in consumers.items() if count > expected[name]]:
        name = foreign[0]
        return _foreign(
            f"{name} has {consumers[name]} consumers, but {expected[name]} processes of this fleet"
        )
    return Diagnosis("other fleets", Health.GOOD, "none consumes these queues")


def check_names(answered: Collection[str], workers: Collection[str]) -> Diagnosis:
    """Diagnose whether a process that answers remote control is not one of this fleet.

    Args:
        answered: names of the processes that answered.
        workers: names of the worker processes of this fleet, from their heartbeats.
    """
    if foreign := sorted(set(answered) - set(workers)):
        return _foreign(f"{foreign[0]} is not a process of this fleet")
    return Diagnosis("other fleets", Health.GOOD, "none answers")


def ping(app: Celery) -> list[str]:
    """Return the names of the processes that answer remote control within PING_SECONDS."""
    return [name for reply in app.control.ping(timeout=PING_SECONDS) for name in reply]


def _expected_consumers(workers: Collection[str]) -> Counter[QueueName]:
    kinds = Counter(name.partition("-")[0] for name in workers)
    expected: Counter[QueueName] = Counter()
    for group in GROUPS:
        for queue in group.queues.values():
            for name in _WATCHDOG_QUEUES if group.is_planning else (queue,):
                if name:
                    expected[name] += kinds[group.name]
    return expected


def _foreign(detail: str) -> Diagnosis:
    return Diagnosis(
        "other fleets",
        Health.WRONG,
        f"{detail}: another fleet uses the same namespace; set DWGATE_NAMESPACE to a name of its own",
    )
