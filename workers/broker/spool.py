"""Tasks that the broker did not take, kept in Redis until a worker takes them from there.

While RabbitMQ is short of memory or disk, it delivers what it has and accepts nothing. Intake then has events
whose checks it cannot publish, and a check that is to be retried has nowhere to wait. The spool has one
sorted set per task queue. A task is leased until it has ended: that of a killed worker is taken again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeVar

import orjson
import redis

LEASE_SECONDS = 40.0
"""How long a task may run before it is taken again; longer than the time limit of CPU checks."""

KEPT_SECONDS = 86400.0
"""How long a spool is kept after its last task was added."""

_SCRIPTS = Path(__file__).parent

Queue = TypeVar("Queue", bound=str)


@dataclass(frozen=True, slots=True)
class SpooledTask:
    """A task, as Celery sends it.

    Attributes:
        id: id of the task.
        name: name of the task.
        args: positional arguments.
        kwargs: keyword arguments.
        display: what Flower shows of the arguments (`argsrepr`).
        retries: number of retries before.
        was_delivered: whether an earlier delivery did not end, and may have ended its process.
    """

    id: str
    name: str
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    display: str = "'-'"
    retries: int = 0
    was_delivered: bool = False

    def to_entry(self) -> bytes:
        """Return the entry in Redis; equal tasks have equal entries."""
        fields = [self.id, self.name, self.args, self.kwargs, self.display, self.retries, self.was_delivered]
        return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def from_entry(cls, entry: bytes) -> Self:
        """Return the task of an entry."""
        return cls(*orjson.loads(entry))


class Spool:
    """The tasks of one extension that the broker did not take.

    Args:
        client: a Redis client that returns bytes.
        prefix: prefix of the extension's keys.
    """

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._prefix = f"{prefix}spool:"
        self._add = client.register_script((_SCRIPTS / "add_spooled.lua").read_text())
        self._take = client.register_script((_SCRIPTS / "take_spooled.lua").read_text())

    def add(self, queue: str, task: SpooledTask, *, delay: float = 0.0) -> None:
        """Add a task of a queue, to be taken after `delay` seconds; safe to repeat."""
        arguments: list[str | bytes | int] = [task.to_entry(), int(delay * 1000), int(KEPT_SECONDS * 1000)]
        self._add(keys=[self._prefix + queue], args=arguments)

    def take(self, queues: Sequence[Queue], limit: int) -> list[tuple[Queue, SpooledTask]]:
        """Lease up to `limit` tasks of each queue, oldest first within a queue."""
        keys = [self._prefix + queue for queue in queues]
        found = self._take(keys=keys, args=[limit, int(LEASE_SECONDS * 1000)])
        numbers, entries = found[::2], found[1::2]
        return [
            (queues[number - 1], SpooledTask.from_entry(entry))
            for number, entry in zip(numbers, entries, strict=True)
        ]

    def remove(self, queue: str, task: SpooledTask) -> None:
        """Remove a task that has ended."""
        self._client.zrem(self._prefix + queue, task.to_entry())

    def return_task(self, queue: str, task: SpooledTask) -> None:
        """Return a leased task, which may be taken again at once."""
        returned = replace(task, was_delivered=True)
        self._client.zadd(self._prefix + queue, {returned.to_entry(): 0})
        if not task.was_delivered:
            self.remove(queue, task)

    def waiting(self, queue: str) -> int:
        """Return the number of tasks of a queue that have not ended."""
        return self._client.zcard(self._prefix + queue)
