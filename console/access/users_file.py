"""The users file: who may use the console, with which role, and for logins by password, its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from common.config_files.errors import ConfigError, Problem
from common.config_files.reading import read_config_file
from common.config_files.yaml_document import Document, dump, read_document
from console.access.users import Login, Role, User

ANYONE = "*"
"""Name of the entry for everyone who logs in by OIDC or through the proxy and has no entry."""

MIN_PASSWORD_LENGTH = 12

_WIDTH = 1000
"""Characters of a line of the file: a hash is not folded."""

Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\s:]+$")]


class UserEntry(BaseModel):
    """One user of the file.

    Attributes:
        name: unique; that of the OIDC claim or of the proxy's header, or `*` for everyone else.
        role: what they may do.
        password: an argon2 hash; without it they log in by OIDC or through the proxy only.
        workspaces: ids of the workspaces whose events they may see; without it all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: Name
    role: Role
    password: SecretStr | None = None
    workspaces: tuple[int, ...] | None = None

    @field_validator("password")
    @classmethod
    def _is_hash(cls, password: SecretStr | None) -> SecretStr | None:
        if password and not password.get_secret_value().startswith("$argon2id$"):
            raise ValueError("not an argon2id hash; expected what dwgate console add-user writes")
        return password


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    version: Literal[1]
    users: tuple[UserEntry, ...]


class Users:
    """The users of a valid file.

    Args:
        entries: the users.
    """

    def __init__(self, entries: tuple[UserEntry, ...]) -> None:
        self.entries = entries
        self._by_name = {entry.name: entry for entry in entries}

    @property
    def has_passwords(self) -> bool:
        """Whether anyone can log in by password."""
        return any(entry.password for entry in self.entries)

    def check_password(self, name: str, password: str) -> User | None:
        """Return the user with this name and password; None if there is none. Takes as long for both."""
        entry = self._by_name.get(name)
        expected = entry.password.get_secret_value() if entry and entry.password else _unknown_hash()
        try:
            PasswordHasher().verify(expected, password)
        except (VerificationError, InvalidHashError):
            return None
        return self.find(name, Login.PASSWORD)

    def find(self, name: str, login: Login) -> User | None:
        """Return the user who was identified as `name`; None if they have no access."""
        entry = self._by_name.get(name)
        if login is Login.PASSWORD:
            entry = entry if entry and entry.password else None
        elif entry is None:
            entry = self._by_name.get(ANYONE)
        if entry is None or name == ANYONE:
            return None
        workspaces = None if entry.workspaces is None else frozenset(entry.workspaces)
        return User(name, entry.role, login, workspaces)

    def stamp(self, name: str) -> str:
        """Return a text that changes with the password of a user: sessions of an old one end."""
        entry = self._by_name.get(name)
        secret = entry.password.get_secret_value() if entry and entry.password else ""
        return hashlib.sha256(secret.encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def _unknown_hash() -> str:
    """Return a hash that no password has, so that an unknown name takes as long as a wrong password."""
    return PasswordHasher().hash(hashlib.sha256(b"dwgate").hexdigest())


def load_users(path: Path) -> Users:
    """Read a users file.

    Raises:
        ConfigError: the file cannot be used; one line per problem.
    """
    return parse_users(str(path), read_config_file(path, "a users file"))


def parse_users(name: str, content: bytes) -> Users:
    """Parse the text of a users file; see `load_users`."""
    document = read_document(name, content, description="users file", keys="version and users")
    try:
        file = _File.model_validate(document.values)
    except ValidationError as error:
        raise document.validation_error(error, _File) from None
    if problems := tuple(_duplicates(document, file)):
        raise ConfigError(problems)
    return Users(file.users)


def _duplicates(document: Document, file: _File) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, entry in enumerate(file.users):
        if entry.name in seen:
            yield document.problem(
                ("users", number, "name"), f"duplicate name {entry.name}; expected a unique one"
            )
        seen.add(entry.name)


def write_user(path: Path, name: str, role: Role, password: str, workspaces: tuple[int, ...] | None) -> bool:
    """Add a user to a file, or replace the one of that name; the file is created if it is missing.

    Args:
        path: the file.
        name: the name.
        role: the role.
        password: the password, which is stored as an argon2id hash (RFC 9106).
        workspaces: ids of the workspaces that they may see; None for all.

    Returns:
        Whether the user is new.

    Raises:
        ConfigError: the file is invalid.
        pydantic.ValidationError: the name is invalid.
    """
    existing = load_users(path).entries if path.exists() else ()
    entry = UserEntry(
        name=name, role=role, password=SecretStr(PasswordHasher().hash(password)), workspaces=workspaces
    )
    others = [item for item in existing if item.name != name]
    text = dump({"version": 1, "users": [_plain(item) for item in (*others, entry)]}, width=_WIDTH)
    path.touch(mode=0o600, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return len(others) == len(existing)


def _plain(entry: UserEntry) -> dict[str, Any]:
    plain: dict[str, Any] = {"name": entry.name, "role": entry.role.value}
    if entry.password:
        plain["password"] = entry.password.get_secret_value()
    if entry.workspaces is not None:
        plain["workspaces"] = list(entry.workspaces)
    return plain
