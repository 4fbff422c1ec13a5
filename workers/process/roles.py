"""What a worker process does: roles, and the processes that play them together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from common import topology


class Role(StrEnum):
    """One thing a worker does."""

    INTAKE = "intake"
    CHECKS_CPU = "checks-cpu"
    CHECKS_IO = "checks-io"
    REPORTER = "reporter"
    WATCHDOG = "watchdog"


class Pool(StrEnum):
    """How a process does several things at once.

    Computing gets processes that a time limit can end, waiting gets threads; gevent stalls on Celery 5.7.
    Without a pool of Celery's it is a loop of its own.
    """

    PREFORK = "prefork"
    THREADS = "threads"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """Roles that share a process.

    Attributes:
        name: what its process is called.
        pool: how it works.
        roles: the roles that it may play.
    """

    name: str
    pool: Pool
    roles: frozenset[Role]


GROUPS = (
    ProcessGroup("checks", Pool.PREFORK, frozenset({Role.CHECKS_CPU})),
    ProcessGroup("io", Pool.THREADS, frozenset({Role.INTAKE, Role.CHECKS_IO})),
    # Apart from the others, so that verdicts waiting for the quota hold up no check.
    ProcessGroup("reporter", Pool.THREADS, frozenset({Role.REPORTER})),
    ProcessGroup("watchdog", Pool.NONE, frozenset({Role.WATCHDOG})),
)

QUEUES = {  # what comes by the broker; the watchdog looks at Redis
    Role.INTAKE: topology.INTAKE,
    Role.CHECKS_CPU: topology.CHECKS_CPU,
    Role.CHECKS_IO: topology.CHECKS_IO,
    Role.REPORTER: topology.REPORTS,
}


def groups_for(roles: Iterable[Role]) -> list[tuple[ProcessGroup, tuple[Role, ...]]]:
    """Return the processes that play `roles`, each with the roles it gets; all roles when there are none."""
    wanted = frozenset(roles) or frozenset(Role)
    return [(group, tuple(sorted(group.roles & wanted))) for group in GROUPS if group.roles & wanted]
