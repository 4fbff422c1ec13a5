"""Roles of a worker, and the process groups that run them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from common.topology import QueueName

STOP_SECONDS = 25.0
"""How long a process may take to exit after SIGTERM; a task that has not finished returns to its queue."""


class Role(StrEnum):
    """One responsibility of a worker.

    CHECKS_CPU has two processes: for the fast queue and for the slow one.
    """

    INTAKE = "intake"
    CHECKS_CPU = "checks-cpu"
    CHECKS_IO = "checks-io"
    REPORTER = "reporter"
    WATCHDOG = "watchdog"


class Pool(StrEnum):
    """Concurrency model of a process.

    CPU-bound work runs in processes, which a time limit can kill, I/O-bound work in threads; gevent stalls on
    Celery 5.7. NONE means no Celery worker: the process runs its own loops.
    """

    PREFORK = "prefork"
    THREADS = "threads"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """Roles that share one process.

    Attributes:
        name: of its process.
        pool: its concurrency model.
        queues: the roles that it can run, each with the queue that it consumes; None for one that polls
            Redis.
        is_slow: whether it runs what takes long, with half the concurrency and a low priority.
    """

    name: str
    pool: Pool
    queues: Mapping[Role, QueueName | None]
    is_slow: bool = False


GROUPS = (
    ProcessGroup("checks", Pool.PREFORK, {Role.CHECKS_CPU: QueueName.CHECKS_CPU}),
    ProcessGroup("slow", Pool.PREFORK, {Role.CHECKS_CPU: QueueName.CHECKS_SLOW}, is_slow=True),
    ProcessGroup("io", Pool.THREADS, {Role.INTAKE: QueueName.INTAKE, Role.CHECKS_IO: QueueName.CHECKS_IO}),
    # A separate process, so that verdicts that wait for the quota delay no check.
    ProcessGroup("reporter", Pool.THREADS, {Role.REPORTER: QueueName.REPORTS}),
    ProcessGroup("watchdog", Pool.NONE, {Role.WATCHDOG: None}),
)


def groups_for(roles: Iterable[Role]) -> list[tuple[ProcessGroup, tuple[Role, ...]]]:
    """Return the process groups for `roles` (all roles if empty), each with the roles that it runs."""
    selected = frozenset(roles) or frozenset(Role)
    chosen = [(group, tuple(sorted(group.queues.keys() & selected))) for group in GROUPS]
    return [(group, played) for group, played in chosen if played]
