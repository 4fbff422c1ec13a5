"""The Celery tasks: wiring only. Arguments are plain JSON with a schema version; results are not stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billiard.exceptions import TimeLimitExceeded
from celery import Celery

from common import topology
from common.events import SCHEMA, Event, UnknownSchema
from common.time_limits import TimeLimitReached
from workers import check_execution, cpu_checks, intake, kombu_queues, reporter
from workers.check_request import CheckRequest
from workers.services import Services
from workers.task_base import BaseTask


def register_tasks(app: Celery, services: Services) -> None:
    """Register the tasks, which use `services`, with `app`."""

    class Intake(BaseTask):
        name = topology.TASK_INTAKE

        def run(self, *events: dict[str, Any]) -> None:
            unfinished, fault = intake.process_events(services, [Event.from_json(event) for event in events])
            if fault:
                self.retry_transient(fault, [event.to_json() for event in unfinished])

    class Check(BaseTask):
        name = topology.TASK_CHECK
        Request = CheckRequest

        def run(
            self,
            *,
            v: int,
            message_id: str,
            run: int,
            checks: list[str],
            until: float,
            workspace: str | None = None,
        ) -> None:
            _require_readable(v)
            _run_checks(services, self.request.delivery_info, message_id, run, checks, until, workspace)

        def on_failure(self, exc: BaseException, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
            """Celery's hook; after a hard time limit it is called in the parent of the killed process."""
            del task_id, args, einfo
            by_input = isinstance(exc, TimeLimitReached)
            if by_input or isinstance(exc, TimeLimitExceeded):
                cpu_checks.on_killed(
                    services,
                    kwargs["message_id"],
                    kwargs["run"],
                    kwargs["checks"],
                    kwargs["until"],
                    kwargs.get("workspace"),
                    by_input=by_input,
                )

    class Report(BaseTask):
        """A token: it posts pending reports, whichever they are.

        Flower shows each report under its own id (`workers.report_events`) instead of the token.
        """

        name = topology.TASK_REPORT
        send_events = False

        def run(self) -> None:
            is_redelivery = bool(self.request.delivery_info.get("redelivered"))
            if reporter.post_pending(services, self.request.id, is_redelivery=is_redelivery):
                services.dispatch.report_token()

    for task in (Intake, Check, Report):
        app.register_task(task())


def _run_checks(
    services: Services,
    delivery: Mapping[str, Any],
    message_id: str,
    run: int,
    checks: list[str],
    until: float,
    workspace: str | None,
) -> None:
    """Run checks as it is done on the queue that their message came from."""
    is_redelivery = bool(delivery.get("redelivered"))
    arguments = services, message_id, run, checks, until
    if workspace is not None:
        cpu_checks.execute_slow(*arguments, workspace, is_redelivery=is_redelivery)
    elif kombu_queues.name_for(delivery["routing_key"]) == topology.CHECKS_CPU.name:
        cpu_checks.execute_fast(*arguments, is_redelivery=is_redelivery)
    else:
        check_execution.execute(*arguments)


def _require_readable(version: int) -> None:
    if version > SCHEMA:
        raise UnknownSchema(f"task schema {version} is not supported; this dwgate reads up to {SCHEMA}")
