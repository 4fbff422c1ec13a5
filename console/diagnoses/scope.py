"""What `dwgate doctor` examines for a role: what its process uses, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from common.settings import PREFIX
from common.topology import QueueName
from workers.process.roles import GROUPS, Role

_INGEST_QUEUES = frozenset({QueueName.INTAKE, QueueName.ARRIVALS})
_QUEUE_SETTING = f"{PREFIX}SOURCE_URL"
_HTTP_SETTINGS = (f"{PREFIX}EVENTBRIDGE_TARGET_URLS", f"{PREFIX}EVENTBRIDGE_TOKENS")
_WATCHDOG_QUEUES = frozenset({QueueName.BACKSTOP, QueueName.DUE, QueueName.DEAD})


class DiagnosedRole(StrEnum):
    """A role that can be diagnosed by itself; ALL is the whole of dwgate.

    INGEST is ingest with the source http, INGEST_AMQP with the source amqp.
    """

    INGEST = "ingest"
    INGEST_AMQP = "ingest-amqp"
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
        has_ingest: settings of ingest with the source http.
        has_queue_ingest: settings of ingest with the source amqp, and the queue.
        worker_roles: the roles of a worker whose settings, policy and queues are examined.
    """

    has_ingest: bool
    has_queue_ingest: bool
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
        used |= _INGEST_QUEUES if self.has_ingest or self.has_queue_ingest else frozenset()
        used |= _WATCHDOG_QUEUES if Role.WATCHDOG in self.worker_roles else frozenset()
        return tuple(name for name in QueueName if name in used)


def scope_of(roles: Sequence[DiagnosedRole], settings: Collection[str] = ()) -> Scope:
    """Return what is examined for `roles`; everything if there are none.

    Args:
        roles: the roles.
        settings: names of the settings that are set. Of everything, the source amqp is a part if its URL is
            set, and the source http unless only that is.
    """
    if not roles or DiagnosedRole.ALL in roles:
        has_queue = _QUEUE_SETTING in settings
        return Scope(
            has_ingest=not has_queue or any(name in settings for name in _HTTP_SETTINGS),
            has_queue_ingest=has_queue,
            worker_roles=frozenset(Role),
        )
    sources = {DiagnosedRole.INGEST, DiagnosedRole.INGEST_AMQP}
    return Scope(
        has_ingest=DiagnosedRole.INGEST in roles,
        has_queue_ingest=DiagnosedRole.INGEST_AMQP in roles,
        worker_roles=frozenset(Role(role.value) for role in roles if role not in sources),
    )
