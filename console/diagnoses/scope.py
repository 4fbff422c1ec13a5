"""What `dwgate doctor` examines for a role: what its process uses, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from common.topology import QueueName
from workers.process.roles import GROUPS, Role

_INGEST_QUEUES = frozenset({QueueName.INTAKE, QueueName.ARRIVALS})
_WATCHDOG_QUEUES = frozenset({QueueName.BACKSTOP, QueueName.DUE, QueueName.DEAD})


class DiagnosedRole(StrEnum):
    """A role that can be diagnosed by itself; ALL is the whole of dwgate."""

    INGEST = "ingest"
    INTAKE = Role.INTAKE.value
    CHECKS_CPU = Role.CHECKS_CPU.value
    CHECKS_IO = Role.CHECKS_IO.value
    REPORTER = Role.REPORTER.value
    WATCHDOG = Role.WATCHDOG.value
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Scope:
    """What is examined.

    Attributes:
        has_ingest: ingest's settings.
        worker_roles: the roles of a worker whose settings, policy and queues are examined.
    """

    has_ingest: bool
    worker_roles: frozenset[Role]

    @property
    def has_workers(self) -> bool:
        """Whether a role of a worker is examined."""
        return bool(self.worker_roles)

    @property
    def has_fleet(self) -> bool:
        """Whether all roles of workers are examined, and so running processes and stored events, too."""
        return self.worker_roles == frozenset(Role)

    @property
    def calls_dataworks(self) -> bool:
        """Whether a role calls DataWorks; the one that reads node code has no credentials."""
        return bool(self.worker_roles - {Role.CHECKS_CPU})

    @property
    def queues(self) -> tuple[QueueName, ...]:
        """The queues that the roles use."""
        used = {
            queue
            for group in GROUPS
            for role, queue in group.queues.items()
            if queue and role in self.worker_roles
        }
        used |= _INGEST_QUEUES if self.has_ingest else frozenset()
        used |= _WATCHDOG_QUEUES if Role.WATCHDOG in self.worker_roles else frozenset()
        return tuple(name for name in QueueName if name in used)


def scope_of(roles: Sequence[DiagnosedRole]) -> Scope:
    """Return what is examined for `roles`; everything if there are none."""
    if not roles or DiagnosedRole.ALL in roles:
        return Scope(has_ingest=True, worker_roles=frozenset(Role))
    workers = frozenset(Role(role.value) for role in roles if role is not DiagnosedRole.INGEST)
    return Scope(has_ingest=DiagnosedRole.INGEST in roles, worker_roles=workers)
