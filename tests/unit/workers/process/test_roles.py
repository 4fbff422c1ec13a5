"""Which processes a worker has."""

from __future__ import annotations

import pytest

from workers.process.roles import Role, groups_for


def test_a_worker_does_everything_unless_roles_are_named() -> None:
    played = {group.name: roles for group, roles in groups_for([])}
    assert [*played] == ["checks", "io", "reporter", "watchdog"]
    assert played["io"] == (Role.CHECKS_IO, Role.INTAKE)
    assert {role for roles in played.values() for role in roles} == set(Role)


@pytest.mark.parametrize("role", Role)
def test_one_role_is_one_process_with_that_role_alone(role: Role) -> None:
    [(group, roles)] = groups_for([role])
    assert roles == (role,)
    assert role in group.roles
