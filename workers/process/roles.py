"""Roles of a worker, and the process groups that run them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from common.topology import QueueName

STOP_SECONDS = 25.0
"""How long a process may take to exit after SIGTERM; a task that has not finished returns to its queue."""


class Role(StrEnum):
    """One responsibility of a worker.

    CHECKS_CPU has two processes: for the fast queue and for the slow one. CHECKS_IO also makes the lookups
    that these request. WATCHDOG has two processes as well, so that no check, and no fault of the broker,
    delays the decision of an event whose deadline is near.
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
        is_slow: whether it runs what takes long, with half the concurrency.
        is_planning: whether a process without queues plans events; otherwise it only decides them.
        niceness: of its processes. On a machine that is too busy, verdicts that are due go before events that
            could be checked, and those before what takes long.
    """

    name: str
    pool: Pool
    queues: Mapping[Role, QueueName | None]
    is_slow: bool = False
    is_planning: bool = False
    niceness: int = 0

    @property
    def reads_code(self) -> bool:
        """Whether it parses node code, which is hostile input: it then has no use for credentials."""
        return self.pool is Pool.PREFORK

    @property
    def keeps_deadlines(self) -> bool:
        """Whether it decides what is due: without it verdicts are late."""
        return self.pool is Pool.NONE and not self.is_planning


GROUPS = (
    ProcessGroup("watchdog", Pool.NONE, {Role.WATCHDOG: None}),
    ProcessGroup("recovery", Pool.NONE, {Role.WATCHDOG: None}, is_planning=True, niceness=5),
    ProcessGroup(
        "io",
        Pool.THREADS,
        {Role.INTAKE: QueueName.INTAKE, Role.CHECKS_IO: QueueName.CHECKS_IO},
        niceness=5,
    ),
    # A separate process, so that verdicts that wait for the quota delay no check.
    ProcessGroup("reporter", Pool.THREADS, {Role.REPORTER: QueueName.REPORTS}),
    ProcessGroup("checks", Pool.PREFORK, {Role.CHECKS_CPU: QueueName.CHECKS_CPU}, niceness=5),
    ProcessGroup("slow", Pool.PREFORK, {Role.CHECKS_CPU: QueueName.CHECKS_SLOW}, is_slow=True, niceness=10),
)
"""In the order in which they are started: what is due is decided first."""


def worker_name(group: ProcessGroup, roles: Sequence[Role], unique: str, host: str) -> str:
    """Return the name of a process in Celery, Flower and the ledger.

    It has the roles unless the group is named like its only one: `io-3f9c21.checks-io.intake@HOST`,
    `reporter-3f9c21@HOST`.

    Args:
        group: the process group.
        roles: those of its roles that run in the process.
        unique: hexadecimal digits that tell it from others of its group on the host.
        host: the host.
    """
    named = "" if [*roles] == [group.name] else "".join(f".{role}" for role in roles)
    return f"{group.name}-{unique}{named}@{host}"


def count_workers(names: Iterable[str]) -> dict[Role, int]:
    """Return for each role how many of all processes that it needs are among the processes `names`."""
    found: Counter[tuple[str, str]] = Counter()
    for name in names:
        group, _, rest = name.partition("@")[0].partition("-")
        found.update((group, role) for role in rest.split(".")[1:] or [group])
    return {role: min(found[group.name, role] for group in GROUPS if role in group.queues) for role in Role}


def groups_for(roles: Iterable[Role]) -> list[tuple[ProcessGroup, tuple[Role, ...]]]:
    """Return the process groups for `roles` (all roles if empty), each with the roles that it runs."""
    selected = frozenset(roles) or frozenset(Role)
    chosen = [(group, tuple(sorted(group.queues.keys() & selected))) for group in GROUPS]
    return [(group, played) for group, played in chosen if played]
