"""Recovers reports whose token was lost, with the broker or with the process that was to publish it.

A report is in the ledger's queue before its token is published, so no report is lost with a token. This loop
publishes tokens again if reports are pending and none is leased. While the broker is down it posts by itself.
"""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import redis
import structlog

from workers import metrics, progress, reporter
from workers.recovery.engine_loop import run_until_stopped
from workers.services import Services
from workers.task_base import TRANSIENT_ERRORS, describe_error

POLL_SECONDS = 0.5

IDLE_SECONDS = 1.0
"""If reports are pending and none was leased for this long, their tokens count as lost."""

ISSUE_SECONDS = 30.0
"""Seconds before tokens are published again while no report is leased: no reporter may be running."""

THREADS = 8

log = structlog.get_logger()


def run(services: Services, stop: threading.Event) -> None:
    """Recover pending reports until `stop` is set."""
    with ThreadPoolExecutor(THREADS, "reports") as pool:
        run_until_stopped(
            lambda: check_backlog(services, pool), stop, component="report_recovery", every=POLL_SECONDS
        )


def check_backlog(services: Services, pool: ThreadPoolExecutor) -> None:
    """Set the metric of pending reports and publish missing tokens; post here if that fails."""
    backlog = services.ledger.reports.backlog(idle_seconds=IDLE_SECONDS, issue_seconds=ISSUE_SECONDS)
    metrics.VERDICTS_WAITING.set(backlog.waiting)
    try:
        for _ in range(backlog.tokens_needed):
            services.dispatch.report_token()
    except (*TRANSIENT_ERRORS, OSError) as error:
        log.warning("broker_unavailable", component="report_recovery", error=type(error).__name__)
        for _ in range(min(backlog.tokens_needed, THREADS)):
            pool.submit(_post_pending, services)


def _post_pending(services: Services) -> None:
    try:
        with progress.step(may_wait=True):
            reporter.post_pending(services, uuid.uuid4().hex)
    except redis.RedisError as error:
        log.warning("redis_unavailable", component="report_recovery", error=describe_error(error))
