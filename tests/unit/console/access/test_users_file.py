"""The users file: what it accepts, whom it identifies, and how it is written."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from common.config_files.errors import ConfigError
from console.access.users import Login, Role
from console.access.users_file import load_users, parse_users, write_user


def test_a_written_user_logs_in_with_the_password_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "users.yaml"
    assert write_user(path, "lin", Role.OPERATOR, "correct horse battery", (93124,))
    users = load_users(path)

    user = users.check_password("lin", "correct horse battery")
    assert user
    assert (user.role, user.login, user.workspaces) == (Role.OPERATOR, Login.PASSWORD, frozenset({93124}))
    assert (user.may_see(93124), user.may_see(7), user.may_see(None)) == (True, False, False)
    assert users.check_password("lin", "correct horse") is None
    assert users.check_password("chen", "correct horse battery") is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "correct horse" not in path.read_text()


def test_a_user_of_the_same_name_is_replaced_and_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "users.yaml"
    path.write_text("version: 1\nusers:\n- {name: chen, role: viewer}\n")
    write_user(path, "lin", Role.OPERATOR, "correct horse battery", None)
    before = load_users(path).stamp("lin")

    assert not write_user(path, "lin", Role.ADMINISTRATOR, "another password", None)
    users = load_users(path)
    assert [(entry.name, entry.role) for entry in users.entries] == [
        ("chen", Role.VIEWER),
        ("lin", Role.ADMINISTRATOR),
    ]
    assert users.stamp("lin") != before


def test_a_name_with_a_space_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        write_user(tmp_path / "users.yaml", "lin mei", Role.VIEWER, "correct horse battery", None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version: 1\nusers:\n- {name: a, role: boss}\n", "users.yaml:3:19: users.0.role: expected"),
        ("version: 1\nusers:\n- {name: a, role: viewer, password: secret}\n", "not an argon2id hash"),
        ("version: 1\nusers:\n- {name: a, role: viewer}\n- {name: a, role: viewer}\n", "duplicate name a"),
        ("version: 1\nusers: 3\n", "expected a list"),
    ],
)
def test_an_invalid_file_names_the_place_and_never_the_value(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_users("users.yaml", text.encode())
    assert expected in str(raised.value)
    assert "secret" not in str(raised.value)


def test_only_the_entry_for_everyone_lets_unlisted_people_in() -> None:
    listed = parse_users("u", b"version: 1\nusers:\n- {name: lin, role: operator}\n")
    everyone = parse_users("u", b"version: 1\nusers:\n- {name: '*', role: viewer, workspaces: [7]}\n")

    assert listed.find("lin", Login.PROXY)
    assert listed.find("chen", Login.PROXY) is None
    found = everyone.find("chen", Login.OIDC)
    assert found
    assert (found.name, found.role, found.workspaces) == ("chen", Role.VIEWER, frozenset({7}))
    assert everyone.find("*", Login.OIDC) is None
    assert everyone.find("chen", Login.PASSWORD) is None


def test_a_role_includes_those_below_it() -> None:
    assert Role.ADMINISTRATOR.includes(Role.VIEWER)
    assert Role.OPERATOR.includes(Role.OPERATOR)
    assert not Role.VIEWER.includes(Role.OPERATOR)
