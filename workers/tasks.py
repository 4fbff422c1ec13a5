"""The Celery tasks: wiring only. Arguments are plain JSON with a schema version; results are not kept."""

from __future__ import annotations

from typing import Any

from celery import Celery

from common import topology
from common.events import SCHEMA, Event, UnknownSchema
from workers import checking, intake, reporter
from workers.services import Services
from workers.task import GateTask
from workers.turns import Turn


def register(app: Celery, services: Services) -> None:
    """Make the tasks known to `app`; they work with `services`."""

    class Intake(GateTask):
        name = topology.TASK_INTAKE

        def run(self, *events: dict[str, Any]) -> None:
            left, fault = intake.take_on(services, [Event.from_json(event) for event in events])
            if fault:
                self.again(fault, [event.to_json() for event in left])

    class Check(GateTask):
        name = topology.TASK_CHECK

        def run(self, *, v: int, message_id: str, run: int, check: str, until: float) -> None:
            _readable(v)
            checking.check(services, message_id, run, check, until)

    class Report(GateTask):
        name = topology.TASK_REPORT

        def run(self, *, v: int, message_id: str, run: int, until: float) -> None:
            _readable(v)
            again = self.request.retries > 0 or self.request.delivery_info.get("redelivered", False)
            later = reporter.take_turns(services, Turn(message_id, run, until), orphans=again)
            if later:
                self._come_back(later)

        def _come_back(self, later: reporter.Later) -> None:
            turn = later.turn
            told = {"v": SCHEMA, "message_id": turn.message_id, "run": turn.run, "until": turn.deadline_at}
            if later.fault:
                self.again(later.fault, kwargs=told)
            else:
                self.postpone(later.seconds, turn.deadline_at, kwargs=told)

    for task in (Intake, Check, Report):
        app.register_task(task())


def _readable(version: int) -> None:
    if version > SCHEMA:
        raise UnknownSchema(f"task schema {version}, this dwgate reads up to {SCHEMA}")
