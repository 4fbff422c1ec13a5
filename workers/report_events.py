"""Shows every posted verdict in Flower, whichever process posts it.

A message of `dwgate.report` is a token that names no event, and verdicts are also posted within other tasks
and by the watchdog. So each post is reported as a separate task `dwgate.report` whose id names the event,
with the same task events that Celery sends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from common import topology
from workers.dataworks.errors import Transient

log = structlog.get_logger()

Send = Callable[..., None]
"""Sends one Celery event: the type, then the fields as keywords."""


class ReportEvents:
    """Sends the task events of reports.

    Args:
        send: sends an event if events are enabled; `send_nothing` in a process without task events.
    """

    def __init__(self, send: Send) -> None:
        self._send = send

    @contextmanager
    def as_task(self, message_id: str, run: int) -> Iterator[None]:
        """Show the block as a task.

        All events are sent after the block, with the original times, so that a slow broker delays no verdict.
        """
        started = time.time()
        end, fields = "task-succeeded", dict[str, Any]()
        try:
            yield
        except Exception as error:
            end = "task-retried" if isinstance(error, Transient) else "task-failed"
            fields = {"exception": type(error).__name__}
            raise
        finally:
            self._report(task_id(message_id, run), started, end, fields)

    def _report(self, uuid: str, started: float, end: str, fields: dict[str, Any]) -> None:
        now = time.time()
        if end == "task-succeeded":
            fields = {"runtime": now - started, "result": ""}
        try:
            self._send(
                "task-received",
                uuid=uuid,
                timestamp=started,
                name=topology.TASK_REPORT,
                args="",
                kwargs="{}",
                retries=0,
            )
            self._send("task-started", uuid=uuid, timestamp=started)
            self._send(end, uuid=uuid, timestamp=now, **fields)
        except Exception as error:  # noqa: BLE001 - Flower must not affect a verdict
            log.info("task_events_dropped", error=type(error).__name__)


def send_nothing(*_: object, **__: object) -> None:
    """Send no event."""


def task_id(message_id: str, run: int) -> str:
    """Return the id of a report in Flower; it has the form of the ids of checks."""
    return f"{message_id}.{run}.report"
