"""Celery's view of a message with checks, in the parent of the processes that run them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from billiard.common import human_status
from billiard.exceptions import WorkerLostError
from celery.worker.state import task_ready

from common.processes.time_limits import KILL_SIGNAL, TimeLimitReached
from workers.task_base import TRANSIENT_ERRORS, error_location
from workers.task_events import check_task_name, decode_ends, end_event, received_fields, task_id
from workers.task_request import TaskRequest

_KILLED = human_status(-KILL_SIGNAL)
"""How billiard describes the end of a process by the time limit of its own work."""

_END_EVENTS = frozenset({"task-failed", "task-retried", "task-revoked"})

log = structlog.get_logger()


class CheckRequest(TaskRequest):
    """A request that is finished, instead of delivered again, when its input stalled the process.

    Its task gets `TimeLimitReached` in `on_failure`. Flower shows each of its checks as a task.
    """

    def send_event(self, kind: str, **fields: Any) -> None:
        """Celery's hook: send an event about the message as events about its checks."""
        eventer = self.eventer
        if not (eventer and eventer.enabled):
            return
        try:
            for event, values in check_events(kind, fields, self.kwargs):
                eventer.send(event, **values)
        except Exception as error:  # noqa: BLE001 - Flower must not affect a verdict
            log.info("task_events_dropped", error=type(error).__name__)

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        """Celery's hook; after the end of a process it is called in its parent."""
        error = getattr(exc_info.exception, "exc", exc_info.exception)
        if not (isinstance(error, WorkerLostError) and _KILLED in str(error)):
            return super().on_failure(exc_info, send_failed_event, return_ok)
        task_ready(self)
        self.send_event("task-failed", exception="TimeLimitReached")
        log.error("check_process_killed", task_id=self.id)
        try:
            self.task.on_failure(TimeLimitReached(), self.id, self.args, self.kwargs, None)
        except (*TRANSIENT_ERRORS, OSError) as fault:
            log.warning(
                "task_interrupted", error=type(fault).__name__, at=error_location(fault), will_retry=True
            )
            return self.reject(requeue=True)
        return self.acknowledge()


def check_events(
    kind: str, fields: Mapping[str, Any], arguments: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the events about checks for an event about their message.

    A check that runs again in another message is not in the result of this one: it keeps its state.

    Args:
        kind: type of the event.
        fields: its fields.
        arguments: those of the message.
    """
    ids = {name: task_id(arguments["message_id"], arguments["run"], name) for name in arguments["checks"]}
    if kind == "task-started":
        for name, uuid in ids.items():
            yield "task-received", received_fields(uuid, check_task_name(name))
            yield kind, {"uuid": uuid}
    elif kind == "task-succeeded":
        for end in decode_ends(fields["result"]):
            event, values = end_event(end)
            yield event, {"uuid": ids[end.check], **values}
    elif kind in _END_EVENTS:
        exception = {name: fields[name] for name in ("exception",) if name in fields}
        for uuid in ids.values():
            yield kind, {"uuid": uuid, **exception}
