from __future__ import annotations

import pytest

from common.topology import QueueName
from console.diagnoses.scope import DiagnosedRole, scope_of
from workers.process.roles import Role

WORKER_ROLES = [DiagnosedRole(role.value) for role in Role]


@pytest.mark.parametrize("roles", [[], [DiagnosedRole.ALL], [DiagnosedRole.INGEST, DiagnosedRole.ALL]])
def test_everything(roles: list[DiagnosedRole]) -> None:
    scope = scope_of(roles)
    assert scope.has_ingest
    assert scope.has_fleet
    assert scope.calls_dataworks
    assert scope.worker_roles == frozenset(Role)
    assert scope.queues == tuple(QueueName)


def test_all_roles_of_workers_are_a_fleet() -> None:
    scope = scope_of(WORKER_ROLES)
    assert not scope.has_ingest
    assert scope.has_fleet
    assert not scope_of(WORKER_ROLES[1:]).has_fleet


def test_ingest() -> None:
    scope = scope_of([DiagnosedRole.INGEST])
    assert scope.has_ingest
    assert not scope.has_workers
    assert not scope.calls_dataworks
    assert set(scope.queues) == {QueueName.INTAKE, QueueName.ARRIVALS}


def test_ingest_from_a_queue() -> None:
    scope = scope_of([DiagnosedRole.INGEST_AMQP])
    assert scope.has_queue_ingest
    assert not scope.has_ingest
    assert not scope.has_workers
    assert set(scope.queues) == {QueueName.INTAKE, QueueName.ARRIVALS}


@pytest.mark.parametrize(
    ("settings", "has_http", "has_queue"),
    [
        ((), True, False),
        (("DWGATE_EVENTBRIDGE_TOKENS",), True, False),
        (("DWGATE_SOURCE_URL",), False, True),
        (("DWGATE_SOURCE_URL", "DWGATE_EVENTBRIDGE_TOKENS"), True, True),
    ],
)
def test_the_sources_of_everything(settings: tuple[str, ...], has_http: bool, has_queue: bool) -> None:
    scope = scope_of([], settings)
    assert (scope.has_ingest, scope.has_queue_ingest) == (has_http, has_queue)


@pytest.mark.parametrize(
    ("role", "queues"),
    [
        (DiagnosedRole.INTAKE, {QueueName.INTAKE}),
        (DiagnosedRole.CHECKS_CPU, {QueueName.CHECKS_CPU, QueueName.CHECKS_SLOW}),
        (DiagnosedRole.CHECKS_IO, {QueueName.CHECKS_IO}),
        (DiagnosedRole.REPORTER, {QueueName.REPORTS}),
        (DiagnosedRole.WATCHDOG, {QueueName.DUE, QueueName.BACKSTOP, QueueName.DEAD}),
    ],
)
def test_a_role_of_a_worker(role: DiagnosedRole, queues: set[QueueName]) -> None:
    scope = scope_of([role])
    assert not scope.has_ingest
    assert not scope.has_fleet
    assert set(scope.queues) == queues
    assert scope.calls_dataworks is (role is not DiagnosedRole.CHECKS_CPU)
