from __future__ import annotations

import pytest

from common import topology
from console.diagnoses.scope import DiagnosedRole, scope_of
from workers.process.roles import Role


@pytest.mark.parametrize("roles", [[], [DiagnosedRole.ALL], [DiagnosedRole.INGEST, DiagnosedRole.ALL]])
def test_everything(roles: list[DiagnosedRole]) -> None:
    scope = scope_of(roles)
    assert scope.has_ingest
    assert scope.has_fleet
    assert scope.calls_dataworks
    assert scope.worker_roles == frozenset(Role)
    assert scope.queues == topology.QUEUES


def test_ingest() -> None:
    scope = scope_of([DiagnosedRole.INGEST])
    assert scope.has_ingest
    assert not scope.has_workers
    assert not scope.calls_dataworks
    assert scope.queues == (topology.INTAKE, topology.BACKSTOP)


@pytest.mark.parametrize(
    ("role", "queues"),
    [
        (DiagnosedRole.INTAKE, (topology.INTAKE,)),
        (DiagnosedRole.CHECKS_CPU, (topology.CHECKS_CPU, topology.CHECKS_SLOW)),
        (DiagnosedRole.CHECKS_IO, (topology.CHECKS_IO,)),
        (DiagnosedRole.REPORTER, (topology.REPORTS,)),
        (DiagnosedRole.WATCHDOG, (topology.DUE, topology.BACKSTOP)),
    ],
)
def test_a_role_of_a_worker(role: DiagnosedRole, queues: tuple[topology.Queue, ...]) -> None:
    scope = scope_of([role])
    assert not scope.has_ingest
    assert not scope.has_fleet
    assert scope.queues == queues
    assert scope.calls_dataworks is (role is not DiagnosedRole.CHECKS_CPU)
