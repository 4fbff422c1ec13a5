"""Publishes tokens of the plan queue again that were lost, with the broker or with their process."""

from __future__ import annotations

import threading

from workers import metrics
from workers.recovery.engine_loop import run_until_stopped
from workers.routing.plan_router import MAX_TOKENS
from workers.services import Services

POLL_SECONDS = 1.0

IDLE_SECONDS = 3.0
"""If events wait to be planned and none was leased for this long, their tokens count as lost."""

ISSUE_SECONDS = 10.0
"""Seconds before tokens are published again while no event is leased: no intake may be running."""


def run(services: Services, stop: threading.Event) -> None:
    """Recover tokens until `stop` is set."""

    def step() -> None:
        backlog = services.ledger.plans.backlog(idle_seconds=IDLE_SECONDS, issue_seconds=ISSUE_SECONDS)
        metrics.PLANS_WAITING.set(backlog.waiting)
        for _ in range(min(backlog.tokens_needed, MAX_TOKENS)):
            services.dispatch.plan_token()

    run_until_stopped(step, stop, component="plan_recovery", every=POLL_SECONDS)
