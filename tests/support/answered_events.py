"""Events in a ledger, as the workers leave them."""

from __future__ import annotations

import time
from dataclasses import replace

from common.events import Event
from common.ledger import Ledger
from common.plan import Mode
from common.verdicts import Outcome, Reason, Subject, SubjectKind, Verdict
from tests.support.plans import plan_of


def add_event(
    ledger: Ledger,
    message_id: str,
    outcome: Outcome | None,
    *,
    mode: Mode = Mode.ENFORCE,
    project: int = 7,
    name: str = "dim_user",
) -> None:
    """Store the event of a commit with one check, code-review; without an outcome it is being checked."""
    now = time.time()
    event = Event(message_id, "commit-file", project, f"user-{project}", True, {"fileName": name}, now)
    ledger.admit(event, now + 600, now + 480)
    plan = plan_of("code-review")
    plan = replace(plan, checks=(replace(plan.checks[0], mode=mode),))
    assert ledger.save_plan(message_id, 1, plan, None, {}, subjects=[Subject(SubjectKind.FILE, "5", name)])
    if outcome is None:
        return
    ledger.record_outcomes(message_id, 1, {"code-review": outcome})
    verdict = Verdict(plan.checks[0].effective_result(outcome), "tip", Reason.COMPLETE, now)
    assert ledger.acquire_report_lease(message_id, "o", 5).record
    ledger.freeze_verdict(message_id, "o", verdict)
    ledger.mark_reported(message_id, "o", "posted", verdict, ledger.get(message_id))
