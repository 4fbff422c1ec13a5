"""Which processes a worker has."""

from __future__ import annotations

import pytest

from common.topology import TASK_QUEUES
from workers.process.roles import Role, count_workers, groups_for, worker_name


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


@pytest.mark.parametrize(
    ("roles", "names"),
    [
        ((Role.WATCHDOG,), {"watchdog-3f9c21@h", "recovery-3f9c21.watchdog@h"}),
        ((Role.REPORTER,), {"reporter-3f9c21@h"}),
        ((Role.INTAKE, Role.CHECKS_IO), {"io-3f9c21.checks-io.intake@h"}),
        ((Role.INTAKE,), {"io-3f9c21.intake@h"}),
        ((Role.CHECKS_CPU,), {"checks-3f9c21.checks-cpu@h", "slow-3f9c21.checks-cpu@h"}),
    ],
)
def test_the_name_of_a_process_has_its_roles(roles: tuple[Role, ...], names: set[str]) -> None:
    assert {worker_name(group, played, "3f9c21", "h") for group, played in groups_for(roles)} == names


def test_workers_are_counted_by_role() -> None:
    names = [worker_name(group, played, "3f9c21", "a") for group, played in groups_for(())]
    assert count_workers(names) == dict.fromkeys(Role, 1)
    names += [worker_name(group, played, "77aa00", "b") for group, played in groups_for([Role.CHECKS_CPU])]
    assert count_workers(names)[Role.CHECKS_CPU] == 2
    names.remove("slow-77aa00.checks-cpu@b")
    assert count_workers(names)[Role.CHECKS_CPU] == 1, "a worker without all its processes does not count"
    assert count_workers(["io-1.intake@a", "garbage"]) == {**dict.fromkeys(Role, 0), Role.INTAKE: 1}
