"""The number of refused logins in the audit trail."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from starlette.requests import Request

from common.ledger import AuditEntry
from console.access.gate import AccessRules, Gate
from console.access.users import Login
from console.web.ledger_reader import LedgerReader
from console.web.pages.login_trail import MAX_REFUSALS, LoginTrail


def test_guesses_do_not_displace_other_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    async def key() -> bytes:
        return b"k" * 32

    now = 0.0
    recorded: list[AuditEntry] = []
    trail = LoginTrail(Gate(AccessRules(), key), cast("LedgerReader", None), lambda: now)

    async def record(entry: AuditEntry) -> None:
        recorded.append(entry)

    monkeypatch.setattr(trail, "_record", record)
    request = Request({"type": "http", "headers": [], "client": ("203.0.113.7", 1)})
    for _ in range(MAX_REFUSALS + 5):
        now += 1
        asyncio.run(trail.record_refusal(request, Login.PASSWORD, "ann"))
    assert len(recorded) == MAX_REFUSALS
    now = 3601.0
    for _ in range(2):
        asyncio.run(trail.record_refusal(request, Login.PASSWORD, "ann"))
    assert len(recorded) == MAX_REFUSALS + 1
    assert recorded[-1].actor == "203.0.113.7 (console)"
