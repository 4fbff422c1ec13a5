"""Roles of a worker, and the process groups that run them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from common import topology


class Role(StrEnum):
    """One responsibility of a worker."""

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
        roles: the roles that it can run.
    """

    name: str
    pool: Pool
    roles: frozenset[Role]


GROUPS = (
    ProcessGroup("checks", Pool.PREFORK, frozenset({Role.CHECKS_CPU})),
    ProcessGroup("io", Pool.THREADS, frozenset({Role.INTAKE, Role.CHECKS_IO})),
    # A separate process, so that verdicts that wait for the quota delay no check.
    ProcessGroup("reporter", Pool.THREADS, frozenset({Role.REPORTER})),
    ProcessGroup("watchdog", Pool.NONE, frozenset({Role.WATCHDOG})),
)

QUEUES = {  # the watchdog consumes none: it polls Redis
    Role.INTAKE: topology.INTAKE,
    Role.CHECKS_CPU: topology.CHECKS_CPU,
    Role.CHECKS_IO: topology.CHECKS_IO,
    Role.REPORTER: topology.REPORTS,
}


def groups_for(roles: Iterable[Role]) -> list[tuple[ProcessGroup, tuple[Role, ...]]]:
    """Return the process groups for `roles` (all roles if empty), each with the roles that it runs."""
    selected = frozenset(roles) or frozenset(Role)
    return [(group, tuple(sorted(group.roles & selected))) for group in GROUPS if group.roles & selected]
