"""The usual way to run checks with Celery: an intake task, a chord of the checks, and a report as its body.

It has the same queues, Celery settings, check functions, policy, decision and DataWorks client as dwgate. Its
state is in Redis: SETNX against duplicate deliveries, Celery's result backend for the chord. Its events come
from `bench.baselines.fastapi_send_task`. Start: `python -m bench.baselines.celery_chord NAME CONCURRENCY`,
one worker per process of `dwgate worker`; its pool for reports is like that for waiting checks.
"""

from __future__ import annotations

import sys
import time
from functools import cached_property
from typing import Any

import redis
from celery import Celery, chord, signals

from common import settings as common_settings
from common import topology
from common.events import Event
from common.log import configure_logging
from common.plan import Plan, PlannedCheck
from common.snapshot import Snapshot
from common.topology import Queue, QueueName, Topology
from common.verdicts import Outcome, OutcomeKind
from ingest.envelope import Envelope
from review.dialects import Dialect
from review.engine import review
from workers.broker import kombu_queues
from workers.celery_app import create_app
from workers.checks.api import Check, Context, Runs, SkipCheck
from workers.pipeline import planner
from workers.pipeline.decision import decide_verdict
from workers.process.roles import Pool
from workers.services import Services
from workers.settings import WorkerSettings
from workers.task_base import TRANSIENT_ERRORS

POST_SECONDS = 8.0
RESULT_SECONDS = 3600
SEEN_SECONDS = 86400

TASK_INTAKE = topology.TASK_INTAKE
TASK_CHECK = "rival.check"
TASK_REPORT = "rival.report"

REPORTS = "rival.reports"

PROCESSES: dict[str, tuple[Pool, tuple[QueueName, ...]]] = {
    "checks": (Pool.PREFORK, (QueueName.CHECKS_CPU,)),
    "waiting": (Pool.THREADS, (QueueName.INTAKE, QueueName.CHECKS_IO)),
    "reports": (Pool.THREADS, ()),
}
"""The workers by name: the pool of each and the queues of dwgate that it serves; `reports` serves REPORTS."""

_QUEUES = {
    Runs.INLINE: QueueName.CHECKS_IO,
    Runs.IO: QueueName.CHECKS_IO,
    Runs.CPU: QueueName.CHECKS_CPU,
}

_RETRIES: dict[str, Any] = {"autoretry_for": TRANSIENT_ERRORS, "max_retries": 3, "default_retry_delay": 1}


def served_queues(name: str, names: Topology) -> list[str]:
    """Return the queues that the worker `name` of PROCESSES serves."""
    return [names[queue].name for queue in PROCESSES[name][1]] or [REPORTS]


def _reports_queue(names: Topology) -> Queue:
    arguments = names[QueueName.CHECKS_CPU].arguments
    return Queue(
        REPORTS, ("rival.report",), {**arguments, "x-dead-letter-routing-key": REPORTS}, names.exchange
    )


class CeleryChord:
    """The dependencies of the tasks, each created on first use in a process."""

    def __init__(self, settings: WorkerSettings) -> None:
        self.app = create_app(settings)
        self.services = Services(settings, self.app)
        self._url = settings.redis_url.get_secret_value()
        self._names = settings.topology
        reports = kombu_queues.build_amqp_queue(_reports_queue(self._names), declare=True)
        self.app.conf.update(
            worker_consumer="celery.worker.consumer:Consumer",  # its messages are not dwgate's
            task_queues=[*self.app.conf.task_queues, reports],
            task_ignore_result=False,
            result_backend=self._url,
            result_expires=RESULT_SECONDS,
        )

    @cached_property
    def redis(self) -> redis.Redis:
        """Redis with the IDs of the events already received."""
        return redis.Redis.from_url(self._url)

    def intake(self, event: Event) -> None:
        """Plan an event's checks, fetch their input, and start the chord."""
        if not self.redis.set(f"rival:{event.message_id}", "1", nx=True, ex=SEEN_SECONDS):
            return
        deadline_at, _ = planner.deadline_for(event, self.services.policy)
        planned = planner.build_plan(event, self.services.policy, self.services.checks)
        snapshot = self._snapshot(event, planned, deadline_at)
        header = [
            self.app.signature(
                TASK_CHECK,
                args=[event.to_json(), snapshot, planned.to_json(), item.name, deadline_at],
                queue=self._names[_QUEUES[self.services.checks[item.name].runs]].name,
            )
            for item in planned.checks
        ]
        body = self.app.signature(
            TASK_REPORT,
            args=[event.to_json(), planned.to_json(), deadline_at],
            queue=REPORTS,
            ignore_result=True,
        )
        chord(header, app=self.app)(body)

    def _snapshot(self, event: Event, planned: Plan, until: float) -> dict[str, Any] | None:
        if not planner.needs_snapshot(planned, self.services.checks) or event.project_id is None:
            return None
        return self.services.dataworks.event_detail(
            event.message_id, event.project_id, deadline=until
        ).to_json()

    def check(self, event: Event, snapshot: Snapshot | None, item: PlannedCheck, until: float) -> Outcome:
        """Run one check."""
        check: Check = self.services.checks[item.name]
        lookups = self.services.dataworks.lookups(until, event.project_id) if check.uses_lookups else None
        options = check.options.model_validate(dict(item.options))
        try:
            context = Context(
                event,
                snapshot or Snapshot(),
                options,
                lookups,
                time.time(),
                result_cache=self.services.result_cache,
            )
            found = list(check.run(context))
        except SkipCheck as skip:
            return Outcome(OutcomeKind.SKIPPED, detail=str(skip))
        return Outcome.of(found)

    def report(self, event: Event, planned: Plan, outcomes: dict[str, Outcome], deadline_at: float) -> None:
        """Decide the verdict and post it."""
        verdict = decide_verdict(planned, outcomes, message_id=event.message_id, now=time.time())
        self.services.dataworks.post_result(
            event.point.result_operation,
            event.message_id,
            verdict.result,
            verdict.tip,
            deadline=time.time() + POST_SECONDS,
            deadline_at=deadline_at,
        )


def register(rival: CeleryChord) -> Celery:
    """Register the tasks."""
    app = rival.app

    @app.task(name=TASK_INTAKE, ignore_result=True, **_RETRIES)  # type: ignore[untyped-decorator]
    def intake(fields: dict[str, Any]) -> None:
        event = Envelope(None, fields).event(time.time())
        if isinstance(event, Event):
            rival.intake(event)

    @app.task(name=TASK_CHECK, **_RETRIES)  # type: ignore[untyped-decorator]
    def check(
        event: dict[str, Any], snapshot: dict[str, Any] | None, plan: dict[str, Any], name: str, until: float
    ) -> tuple[str, dict[str, Any]]:
        planned = next(item for item in Plan.from_json(plan).checks if item.name == name)
        content = Snapshot.from_json(snapshot) if snapshot else None
        return name, rival.check(Event.from_json(event), content, planned, until).to_json()

    @app.task(name=TASK_REPORT, ignore_result=True, **_RETRIES)  # type: ignore[untyped-decorator]
    def report(
        results: list[tuple[str, dict[str, Any]]],
        event: dict[str, Any],
        plan: dict[str, Any],
        deadline: float,
    ) -> None:
        outcomes = {name: Outcome.from_json(outcome) for name, outcome in results}
        rival.report(Event.from_json(event), Plan.from_json(plan), outcomes, deadline)

    return app


def _keep_logging(**_: Any) -> None:
    """Keep Celery from configuring logging, which it skips if this signal has a receiver."""


def main(name: str, concurrency: str) -> None:
    """Run the worker `name` of PROCESSES."""
    pool = PROCESSES[name][0]
    settings = common_settings.load_settings(WorkerSettings)
    configure_logging("warning", f"rival-{name}")
    signals.setup_logging.connect(_keep_logging, weak=False)
    rival = CeleryChord(settings)
    app = register(rival)
    if pool is Pool.PREFORK:
        review("SELECT 1", Dialect.MAXCOMPUTE)
    else:
        rival.services.dataworks.warm_up()
    app.worker_main(
        [
            "worker",
            f"--pool={pool}",
            f"--concurrency={concurrency}",
            f"--queues={','.join(served_queues(name, settings.topology))}",
            f"--hostname=rival-{name}@localhost",
            "--without-mingle",
            "--without-gossip",
            "--loglevel=WARNING",
        ]
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
