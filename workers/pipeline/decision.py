"""The one verdict of an event: a pure function of its plan and its outcomes."""

from __future__ import annotations

from collections.abc import Mapping

from common.plan import Plan, most_severe
from common.verdicts import Outcome, Reason, Verdict
from workers.pipeline.tip import render_tip
from workers.waivers.matching import Waivers


def decide_verdict(
    plan: Plan,
    outcomes: Mapping[str, Outcome],
    *,
    message_id: str,
    now: float,
    reason: Reason | None = None,
    waivers: Waivers | None = None,
    details_link: str | None = None,
) -> Verdict:
    """Return the verdict: the most severe of the planned checks' effective results.

    Args:
        plan: the checks that apply, and how each counts.
        outcomes: the outcomes so far, by check name; those of checks that are not planned are ignored.
        message_id: the event; part of the tip.
        now: seconds since the epoch.
        reason: why it is decided now; None to derive it from the missing outcomes.
        waivers: the known waivers; the tip shows when those that apply expire.
        details_link: address of the event's details; part of the tip.
    """
    counted = [check.effective_result(outcomes.get(check.name)) for check in plan.checks]
    result = most_severe(*counted) if counted else plan.verdict
    text = render_tip(result, plan, outcomes, message_id, now=now, waivers=waivers, details_link=details_link)
    return Verdict(result, text, reason or _reason(plan, outcomes), now)


def _reason(plan: Plan, outcomes: Mapping[str, Outcome]) -> Reason:
    if not plan.checks:
        return Reason.DEFAULT
    missing = any(check.name not in outcomes for check in plan.checks)
    return Reason.DEADLINE if missing else Reason.COMPLETE
