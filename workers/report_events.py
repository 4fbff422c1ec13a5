"""Shows the posting of verdicts in Flower, wherever they are posted.

A message of `dwgate.report` is a token for whichever report is most urgent, and verdicts are also posted
within other tasks and by the watchdog. So a message does not name the event: each post is shown as a task
`dwgate.report` of its own, whose id names the event, by the same task events that Celery sends.
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
"""Sends one Celery event: its type, then its fields by name."""


class ReportEvents:
    """Sends the task events of reports.

    Args:
        send: sends an event, if events are switched on; `send_nothing` in a process that shows nothing.
    """

    def __init__(self, send: Send) -> None:
        self._send = send

    @contextmanager
    def shown(self, message_id: str, run: int) -> Iterator[None]:
        """Show what happens within the block as a task.

        Everything is sent at its end, with the times of then: a broker that hangs delays no verdict.
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
        except Exception as error:  # noqa: BLE001 - the verdict counts, not what is shown of it
            log.info("task_events_not_sent", error=type(error).__name__)


def send_nothing(*_: object, **__: object) -> None:
    """Send no event."""


def task_id(message_id: str, run: int) -> str:
    """Return the id that a report has in Flower, made like those of checks."""
    return f"{message_id}.{run}.report"
