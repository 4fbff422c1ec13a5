"""The Celery tasks: wiring only. Arguments are plain JSON with a schema version; results are not kept."""

from __future__ import annotations

from typing import Any

from billiard.exceptions import TimeLimitExceeded
from celery import Celery

from common import topology
from common.events import SCHEMA, Event, UnknownSchema
from workers import check_execution, intake, reporter
from workers.services import Services
from workers.task_base import BaseTask


def register_tasks(app: Celery, services: Services) -> None:
    """Make the tasks known to `app`; they work with `services`."""

    class Intake(BaseTask):
        name = topology.TASK_INTAKE

        def run(self, *events: dict[str, Any]) -> None:
            left, fault = intake.process_events(services, [Event.from_json(event) for event in events])
            if fault:
                self.retry_transient(fault, [event.to_json() for event in left])

    class Check(BaseTask):
        name = topology.TASK_CHECK

        def run(self, *, v: int, message_id: str, run: int, checks: list[str], until: float) -> None:
            _require_readable(v)
            check_execution.execute(services, message_id, run, checks, until)

        def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
            """Celery's hook; after a hard time limit it is called in the process that ended the other."""
            del task_id, args, einfo
            if isinstance(exc, TimeLimitExceeded):
                check_execution.on_hard_timeout(
                    services, kwargs["message_id"], kwargs["run"], kwargs["checks"], kwargs["until"]
                )

    class Report(BaseTask):
        """A token: it posts the reports that wait, whichever they are.

        Each report is shown in Flower under its own id (`workers.report_events`), so the token is not.
        """

        name = topology.TASK_REPORT
        send_events = False

        def run(self) -> None:
            is_redelivery = bool(self.request.delivery_info.get("redelivered"))
            if reporter.post_pending(services, self.request.id, is_redelivery=is_redelivery):
                services.dispatch.report_token()

    for task in (Intake, Check, Report):
        app.register_task(task())


def _require_readable(version: int) -> None:
    if version > SCHEMA:
        raise UnknownSchema(f"task schema {version}, this dwgate reads up to {SCHEMA}")
