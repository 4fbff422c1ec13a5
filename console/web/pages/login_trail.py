"""Logins and refused logins in the audit trail."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from starlette.requests import Request

from common.ledger import AuditAction, AuditEntry
from console.access.gate import Gate
from console.access.users import Login, User
from console.web.ledger_reader import LedgerReader

MAX_REFUSALS = 100
"""Refused logins of an hour that are recorded: guesses must not displace the entries of others."""

_HOUR = 3600.0
_UNKNOWN = "unknown user"


class LoginTrail:
    """Records who logged in, and who could not.

    Args:
        gate: knows the users, and the addresses of clients.
        reader: has the audit trail.
        now: monotonic seconds.
    """

    def __init__(self, gate: Gate, reader: LedgerReader, now: Callable[[], float] = time.monotonic) -> None:
        self._gate = gate
        self._reader = reader
        self._now = now
        self._refused: deque[float] = deque(maxlen=MAX_REFUSALS)

    async def record_login(self, request: Request, user: User) -> None:
        """Record a login, before its session begins."""
        await self._record(
            AuditEntry(user.actor, AuditAction.LOGIN, user.name, self._how(request, user.login))
        )

    async def record_refusal(self, request: Request, login: Login, name: str) -> None:
        """Record that someone could not log in as `name`; a name without access is not recorded.

        A person may have typed their password where the name belongs.
        """
        now = self._now()
        if len(self._refused) == MAX_REFUSALS and now - self._refused[0] < _HOUR:
            return
        self._refused.append(now)
        users = self._gate.rules.users
        known = name if users and users().find(name, login) else _UNKNOWN
        actor = f"{self._gate.rules.proxy.client_address(request)} (console)"
        await self._record(AuditEntry(actor, AuditAction.LOGIN_REFUSED, known, self._how(request, login)))

    def _how(self, request: Request, login: Login) -> str:
        return f"{login.value} from {self._gate.rules.proxy.client_address(request)}"

    async def _record(self, entry: AuditEntry) -> None:
        await self._reader.read(lambda ledger: ledger.audit_trail.record(entry))
