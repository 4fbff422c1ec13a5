"""Sessions and tokens of forms: valid for one user and key, and never after a change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.access.sessions import Sessions
from console.access.users import Login, Role, User

SESSIONS = Sessions(b"k" * 32)
USER = User("lin", Role.OPERATOR, Login.PASSWORD)


def test_a_session_is_read_back() -> None:
    session = SESSIONS.read(SESSIONS.open("lin", Login.PASSWORD, "stamp"))
    assert session
    assert (session.name, session.login, session.stamp) == ("lin", Login.PASSWORD, "stamp")


@pytest.mark.parametrize(
    "cookie", ["", "x", "a.b.c", pytest.param(SESSIONS.form_token(USER, "n"), id="a form token")]
)
def test_what_is_no_session_is_none(cookie: str) -> None:
    assert SESSIONS.read(cookie) is None


def test_a_session_of_another_key_or_altered_is_none() -> None:
    cookie = SESSIONS.open("lin", Login.PASSWORD, "stamp")
    assert Sessions(b"o" * 32).read(cookie) is None
    for at in range(len(cookie)):
        altered = cookie[:at] + ("A" if cookie[at] != "A" else "B") + cookie[at + 1 :]
        assert SESSIONS.read(altered) is None or SESSIONS.read(altered) == SESSIONS.read(cookie)


def test_a_form_token_is_for_one_user_and_session() -> None:
    token = SESSIONS.form_token(USER, "nonce")
    assert SESSIONS.is_form_token(token, USER, "nonce")
    assert not SESSIONS.is_form_token(token, USER, "other")
    assert not SESSIONS.is_form_token(token, replace(USER, name="chen"), "nonce")
    assert not SESSIONS.is_form_token("", USER, "nonce")


def test_the_expiry_of_a_session_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = SESSIONS.open("lin", Login.PASSWORD, "stamp")
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: 4_000_000_000)
    assert SESSIONS.read(cookie) is None
