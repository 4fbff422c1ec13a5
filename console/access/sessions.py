"""Sessions and tokens of forms: signed texts, which the console checks without storing them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from itsdangerous import BadData, URLSafeTimedSerializer

from console.access.users import Login, User

COOKIE = "dwgate_session"
SESSION_SECONDS = 12 * 3600
"""How long a login lasts."""

_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Session:
    """A login.

    Attributes:
        name: of the user.
        login: how they logged in.
        stamp: a text that changes with the user's password.
        nonce: distinguishes this login from all others.
    """

    name: str
    login: Login
    stamp: str
    nonce: str


class Sessions:
    """Signs sessions and the tokens of forms.

    Args:
        key: the secret; all processes of the console need the same one.
    """

    def __init__(self, key: bytes) -> None:
        self._sessions = URLSafeTimedSerializer(key, salt="dwgate-session")
        self._forms = URLSafeTimedSerializer(key, salt="dwgate-form")

    def open(self, name: str, login: Login, stamp: str) -> str:
        """Return the cookie of a new session."""
        return self._sessions.dumps([name, login.value, stamp, secrets.token_urlsafe(_NONCE_BYTES)])

    def read(self, cookie: str) -> Session | None:
        """Return the session of a cookie; None if it is altered or older than `SESSION_SECONDS`."""
        try:
            name, login, stamp, nonce = self._sessions.loads(cookie, max_age=SESSION_SECONDS)
            return Session(str(name), Login(login), str(stamp), str(nonce))
        except (BadData, ValueError, TypeError):
            return None

    def form_token(self, user: User, nonce: str) -> str:
        """Return the token of the forms that a user is shown; other pages cannot know it.

        Args:
            user: the user.
            nonce: of the session; empty if the user was identified by the proxy.
        """
        return self._forms.dumps([user.name, user.login.value, nonce])

    def is_form_token(self, token: str, user: User, nonce: str) -> bool:
        """Whether a token belongs to a form that this user was shown in this session."""
        try:
            return bool(
                self._forms.loads(token, max_age=SESSION_SECONDS) == [user.name, user.login.value, nonce]
            )
        except (BadData, ValueError, TypeError):
            return False
