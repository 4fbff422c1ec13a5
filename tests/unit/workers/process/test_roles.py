"""Which processes a worker has."""

from __future__ import annotations

import pytest

from common.topology import TASK_QUEUES
from workers.process.roles import Role, groups_for


def test_a_worker_does_everything_unless_roles_are_named() -> None:
    played = {group.name: roles for group, roles in groups_for([])}
    assert [*played] == ["watchdog", "recovery", "io", "reporter", "checks", "slow"]
    assert played["io"] == (Role.CHECKS_IO, Role.INTAKE)
    assert {role for roles in played.values() for role in roles} == set(Role)


@pytest.mark.parametrize("role", Role)
def test_a_role_has_processes_with_that_role_alone(role: Role) -> None:
    groups = groups_for([role])
    assert {roles for _, roles in groups} == {(role,)}
    assert len(groups) == (2 if role in (Role.CHECKS_CPU, Role.WATCHDOG) else 1)


def test_every_task_queue_has_one_consumer() -> None:
    consumed = [queue for group, roles in groups_for([]) for role in roles if (queue := group.queues[role])]
    assert sorted(consumed) == sorted(TASK_QUEUES)
