"""The state of a fleet: processes, queues, events, quota and memory, and what needs a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from common.ledger import State
from common.ledger.memory import SHED_ABOVE, MemoryUse
from console.diagnoses.doctor_findings import MAX_UNPLANNED_SECONDS
from workers.dataworks.operations import QuotaKind
from workers.dataworks.rate_limiter import QuotaUse
from workers.process.roles import GROUPS


@dataclass(frozen=True, slots=True)
class QueueLength:
    """A queue of the broker.

    Attributes:
        name: its name within the namespace, such as `checks.cpu`.
        messages: messages that no worker has taken; None if the queue does not exist.
        consumers: processes that consume it; None where the broker does not know.
    """

    name: str
    messages: int | None
    consumers: int | None = None


@dataclass(frozen=True, slots=True)
class NewestEvent:
    """The event that arrived last; `received_at` is in seconds since the epoch."""

    message_id: str
    event_code: str
    received_at: float


@dataclass(frozen=True, slots=True)
class FleetStatus:
    """The state of a fleet at one moment.

    Attributes:
        extension_code: of the fleet.
        processes: number of running processes by process group, each group of a complete fleet included.
        queues: the queues of the broker.
        events: number of stored events by state.
        pending_verdicts: verdicts that no reporter has taken yet.
        unplanned_seconds: age of the oldest event that no worker has planned; 0 for none.
        quota: the use of the OpenAPI's quotas.
        memory: of Redis; None if the account may not see it.
        days_that_fit: days of events that fit in Redis at the present rate; None if unknown or unlimited.
        newest: the newest event; None without any.
    """

    extension_code: str
    processes: Mapping[str, int]
    queues: tuple[QueueLength, ...]
    events: Mapping[State, int]
    pending_verdicts: int
    unplanned_seconds: float
    quota: Mapping[QuotaKind, QuotaUse]
    memory: MemoryUse | None
    days_that_fit: float | None
    newest: NewestEvent | None

    def problems(self) -> Iterator[str]:
        """Yield what needs a person, one line each."""
        for group in GROUPS:
            if not self.processes.get(group.name):
                roles = " or ".join(sorted(group.queues))
                yield f"no process {group.name}: start dwgate worker --role {roles}"
        if dead := self.events.get(State.DEAD):
            yield f"{dead} dead events: see dwgate events list --state dead"
        if self.unplanned_seconds > MAX_UNPLANNED_SECONDS:
            yield f"an event has waited for intake for {self.unplanned_seconds:.0f} s"
        for queue in self.queues:
            if queue.messages is None:
                yield f"queue {queue.name} does not exist"
        if self.memory and self.memory.share > SHED_ABOVE:
            yield f"Redis is {self.memory.share:.0%} full: old data is removed; raise maxmemory"

    def to_json(self) -> dict[str, Any]:
        """Return the status as plain JSON."""
        memory, newest = self.memory, self.newest
        return {
            "extension_code": self.extension_code,
            "problems": list(self.problems()),
            "processes": dict(self.processes),
            "queues": [
                {"name": queue.name, "messages": queue.messages, "consumers": queue.consumers}
                for queue in self.queues
            ],
            "events": {state.value: count for state, count in self.events.items()},
            "pending_verdicts": self.pending_verdicts,
            "unplanned_seconds": round(self.unplanned_seconds, 3),
            "quota": {
                kind.value: {"granted": use.granted, "limit": use.limit, "waiting": use.waiting}
                for kind, use in self.quota.items()
            },
            "memory": memory and {"used": memory.used, "maximum": memory.maximum},
            "days_that_fit": self.days_that_fit,
            "newest_event": newest
            and {
                "message_id": newest.message_id,
                "event_code": newest.event_code,
                "received_at": newest.received_at,
            },
        }


def count_processes(workers: Iterable[str]) -> dict[str, int]:
    """Return the number of processes of each process group.

    Args:
        workers: names of the running processes (`GROUP-ID@MACHINE`), from their heartbeats.
    """
    kinds = Counter(name.partition("-")[0] for name in workers)
    return {group.name: kinds[group.name] for group in GROUPS}
