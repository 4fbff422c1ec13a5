"""Sends tasks by name with plain JSON arguments, of which Flower shows only ids."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from celery import Celery

from common import clock, topology
from common.events import SCHEMA, Event
from common.topology import QueueName, Topology
from workers.checks.api import Runs

MESSAGE_SECONDS = 30.0
"""Time limit of a message with CPU checks, lookups included; below the visibility timeout on Redis.

The checks' own work has a lower limit, `common.time_limits.REVIEW_SECONDS`. A message reaches this one if
lookups are slow.
"""

RECORDING_MARGIN = 1.0
"""Seconds between the time limit of a CPU check and its deadline: enough to record the outcome."""

_MAX_ID_BYTES = 255
"""AMQP's limit for the id of a task, which is also its correlation id."""

_QUEUES = {Runs.CPU: QueueName.CHECKS_CPU, Runs.IO: QueueName.CHECKS_IO}


class Dispatch:
    """Sends the tasks of dwgate. Every send has a timeout, and RabbitMQ confirms it.

    Args:
        app: the Celery application.
        names: the fleet's queues.
    """

    def __init__(self, app: Celery, names: Topology) -> None:
        self._app = app
        self._names = names

    def send_events(self, *events: Event) -> None:
        """Send events to intake in one message; safe to repeat."""
        self._send(
            topology.TASK_INTAKE,
            QueueName.INTAKE,
            events[0].message_id,
            " ".join(event.message_id for event in events),
            args=[event.to_json() for event in events],
        )

    def send_checks(
        self, message_id: str, run: int, checks: Sequence[str], runs: Runs, deadline: float
    ) -> None:
        """Send checks of an event to the queue of their kind, in one message; CPU checks to the fast queue.

        Args:
            message_id: the event.
            run: the run of the event that the outcomes count for.
            checks: names of the checks, run one after the other.
            runs: CPU or IO.
            deadline: of the outcomes, in seconds since the epoch; it also bounds CPU checks' time limit.
        """
        arguments = {
            "v": SCHEMA,
            "message_id": message_id,
            "run": run,
            "checks": [*checks],
            "until": deadline,
        }
        self._send_checks(_QUEUES[runs], arguments)

    def send_slow_checks(
        self, message_id: str, run: int, checks: Sequence[str], workspace: str, deadline: float
    ) -> None:
        """Send CPU checks of an event to the slow queue, in one message.

        Args:
            message_id: the event.
            run: the run of the event that the outcomes count for.
            checks: names of the checks, run one after the other.
            workspace: the workspace in whose turn they run.
            deadline: of the outcomes, in seconds since the epoch; it also bounds their time limit.
        """
        arguments = {
            "v": SCHEMA,
            "message_id": message_id,
            "run": run,
            "checks": [*checks],
            "until": deadline,
            "workspace": workspace,
        }
        self._send_checks(QueueName.CHECKS_SLOW, arguments)

    def report_token(self) -> None:
        """Publish a token: a reporter that receives it posts pending reports, earliest deadline first."""
        self._send(topology.TASK_REPORT, QueueName.REPORTS, f"report-{uuid.uuid4().hex}", "-")

    def plan_token(self) -> None:
        """Publish a token: a process of intake plans waiting events, earliest deadline first."""
        self._send(topology.TASK_PLAN, QueueName.INTAKE, f"plan-{uuid.uuid4().hex}", "-")

    def _send_checks(self, queue: QueueName, arguments: dict[str, Any]) -> None:
        message_id, checks = arguments["message_id"], arguments["checks"]
        limits = {}
        if queue is not QueueName.CHECKS_IO:
            left = arguments["until"] - RECORDING_MARGIN - clock.now()
            limits = {"time_limit": max(1.0, min(left, MESSAGE_SECONDS))}
        self._send(
            topology.TASK_CHECK,
            queue,
            _task_id(f"{message_id}.{arguments['run']}.{'+'.join(checks)}"),
            f"{message_id} {' '.join(checks)}",
            kwargs=arguments,
            **limits,
        )

    def _send(self, task: str, queue: QueueName, task_id: str, display: str, **options: Any) -> None:
        self._app.send_task(
            task,
            queue=self._names[queue].name,
            task_id=task_id,
            argsrepr=repr(display),
            kwargsrepr="{}",
            **options,
        )


def _task_id(text: str) -> str:
    return text.encode()[:_MAX_ID_BYTES].decode(errors="ignore")
