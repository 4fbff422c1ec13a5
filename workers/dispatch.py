"""Sends tasks on: by name, with plain JSON arguments, of which Flower is shown no more than ids."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any

from celery import Celery

from common import topology
from common.events import SCHEMA, Event
from workers.checks.api import Runs

CHECK_SECONDS = 30.0
"""A CPU check is ended after so long, however far the deadline is."""

SHARED_TIME_LIMIT, SHARED_TIME_SHARE = 5.0, 1 / 3
"""CPU checks in one message part after so long, or after that share of the time that is left."""

RECORDING_MARGIN = 1.0
"""A CPU check is ended so long before its outcome would come too late, so that this is still written down."""

_QUEUES = {Runs.CPU: topology.CHECKS_CPU, Runs.IO: topology.CHECKS_IO}


class Dispatch:
    """Sends the tasks of dwgate. Every send is confirmed by the broker (RabbitMQ) and bounded in time."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def send_events(self, *events: Event) -> None:
        """Send events through intake (again), in one message."""
        self._send(
            topology.TASK_INTAKE,
            topology.INTAKE,
            events[0].message_id,
            " ".join(event.message_id for event in events),
            args=[event.to_json() for event in events],
        )

    def send_checks(
        self, message_id: str, run: int, checks: Sequence[str], runs: Runs, deadline: float
    ) -> None:
        """Send checks of an event to the queue for what they need, in one message.

        Args:
            message_id: the event.
            run: the run of the event that the outcomes count for.
            checks: names of the checks, asked one after the other.
            runs: CPU or WAITING.
            deadline: when an outcome would come too late, in seconds since the epoch; a CPU check ends then.
        """
        arguments = {
            "v": SCHEMA,
            "message_id": message_id,
            "run": run,
            "checks": [*checks],
            "until": deadline,
        }
        limits: dict[str, Any] = {}
        if runs is Runs.CPU:
            seconds = _time_limit(len(checks), deadline - RECORDING_MARGIN - time.time())
            limits = {"soft_time_limit": seconds, "time_limit": seconds + 2}
        self._send(
            topology.TASK_CHECK,
            _QUEUES[runs],
            f"{message_id}.{run}.{'+'.join(checks)}",
            f"{message_id} {' '.join(checks)}",
            kwargs=arguments,
            **limits,
        )

    def report_token(self) -> None:
        """Call a reporter: it posts the reports that wait in the ledger, the most urgent first."""
        self._send(topology.TASK_REPORT, topology.REPORTS, f"report-{uuid.uuid4().hex}", "-")

    def _send(self, task: str, queue: topology.Queue, task_id: str, display: str, **options: Any) -> None:
        self._app.send_task(
            task, queue=queue.name, task_id=task_id, argsrepr=repr(display), kwargsrepr="{}", **options
        )


def _time_limit(checks: int, left: float) -> float:
    """Return after how many seconds so many CPU checks are ended, when `left` seconds are left."""
    most = CHECK_SECONDS if checks == 1 else min(SHARED_TIME_LIMIT, left * SHARED_TIME_SHARE)
    return max(1.0, min(left, most))
