"""The users of the console and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a user may do; each role may do what those before it may.

    VIEWER: see events. OPERATOR: requeue them, and see the state of the fleet. ADMINISTRATOR: see reports,
    the policy and the audit trail, and replay policies.
    """

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"

    def includes(self, other: Role) -> bool:
        """Whether this role may do what `other` may."""
        return _ORDER.index(self) >= _ORDER.index(other)


_ORDER = tuple(Role)


class Login(StrEnum):
    """How a user was identified.

    OPEN: not at all; the console is open to everyone on this machine.
    """

    PASSWORD = "password"  # noqa: S105 - not a password
    OIDC = "oidc"
    PROXY = "proxy"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class User:
    """A user of the console.

    Attributes:
        name: unique name.
        role: what they may do.
        login: how they were identified.
        workspaces: the workspaces whose events they may see; None for all.
    """

    name: str
    role: Role
    login: Login
    workspaces: frozenset[int] | None = None

    @property
    def actor(self) -> str:
        """Who acts, for the audit trail."""
        return f"{self.name} (console)"

    def may_see(self, project_id: int | None) -> bool:
        """Whether they may see events of a workspace; only those without a limit see the tenant's."""
        return self.workspaces is None or project_id in self.workspaces


LOCAL_USER = User("local", Role.ADMINISTRATOR, Login.OPEN)
"""Who uses a console that is open to everyone on its machine."""
