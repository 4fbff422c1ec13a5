"""Celery's view of a message with checks, in the parent of the processes that run them."""

from __future__ import annotations

from typing import Any

import structlog
from billiard.common import human_status
from billiard.exceptions import WorkerLostError
from celery.worker.state import task_ready

from common.processes.time_limits import KILL_SIGNAL, TimeLimitReached
from workers.task_base import TRANSIENT_ERRORS, error_location
from workers.task_request import TaskRequest

_KILLED = human_status(-KILL_SIGNAL)
"""How billiard describes the end of a process by the time limit of its own work."""

log = structlog.get_logger()


class CheckRequest(TaskRequest):
    """A request that is finished, instead of delivered again, when its input stalled the process.

    Its task gets `TimeLimitReached` in `on_failure`.
    """

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        """Celery's hook; after the end of a process it is called in its parent."""
        error = getattr(exc_info.exception, "exc", exc_info.exception)
        if not (isinstance(error, WorkerLostError) and _KILLED in str(error)):
            return super().on_failure(exc_info, send_failed_event, return_ok)
        task_ready(self)
        log.error("check_process_killed", task_id=self.id)
        try:
            self.task.on_failure(TimeLimitReached(), self.id, self.args, self.kwargs, None)
        except (*TRANSIENT_ERRORS, OSError) as fault:
            log.warning(
                "task_interrupted", error=type(fault).__name__, at=error_location(fault), will_retry=True
            )
            return self.reject(requeue=True)
        return self.acknowledge()
