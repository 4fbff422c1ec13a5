"""Plans for tests."""

from __future__ import annotations

from common.plan import Mode, Plan, PlannedCheck
from common.text.i18n import Language
from common.verdicts import Result


def plan_of(*checks: str) -> Plan:
    """Return a plan with these checks, all in mode `enforce`."""
    planned = tuple(PlannedCheck(name, Mode.ENFORCE, Result.FAIL, Result.FAIL) for name in checks)
    return Plan(planned, Result.OK, Language.ENGLISH, "p")
