"""The base of every task: metrics, log context, and what becomes of a fault."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import redis
import structlog
from celery import Task
from celery.exceptions import Ignore, Reject, Retry
from kombu.exceptions import OperationalError

from workers import kombu_queues, metrics, retry
from workers.dataworks.errors import Transient

TRANSIENT_ERRORS = (
    Transient,
    redis.ConnectionError,
    redis.TimeoutError,
    redis.BusyLoadingError,
    OperationalError,
)
"""Faults that time may mend: DataWorks, Redis or the broker could not be reached, or asked to wait."""

MAX_RETRIES = 10_000
"""Retries end by their deadline; this is the end of a deadline that never comes."""

log = structlog.get_logger()


class BaseTask(Task):  # type: ignore[misc]  # Celery ships no types
    """A task that is measured, logged with its event's id, and retried on transient faults.

    A transient fault is retried while `patience` lasts; after that, and on any other fault, the task ends
    and the watchdog answers the event. Logs name an error's type and place, never its text, which could
    hold a node's code.
    """

    abstract = True
    max_retries = MAX_RETRIES
    acks_on_failure_or_timeout = True

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        """Run the task."""
        started = time.perf_counter()
        end = "failed"
        context = {"message_id": kwargs["message_id"]} if "message_id" in kwargs else {}
        with structlog.contextvars.bound_contextvars(task=self.name, **context):
            try:
                self.run(*args, **kwargs)
                end = "done"
            except (Retry, Ignore, Reject):
                end = "retried"
                raise
            except TRANSIENT_ERRORS as error:
                end = "retried"
                self.retry_transient(error)
                end = "given-up"
            except Exception as error:  # noqa: BLE001 - the watchdog answers the event; a worker goes on
                log.error("task-failed", error=type(error).__name__, at=error_location(error))
            finally:
                metrics.TASKS.labels(self.name, end).inc()
                metrics.TASK_SECONDS.labels(self.name).observe(time.perf_counter() - started)

    def retry_transient(
        self, error: Exception, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None
    ) -> None:
        """Run this task again after a transient fault, while there is patience: else return.

        Args:
            error: what went wrong.
            args: the arguments to run it with; None for the same.
            kwargs: the named ones likewise.

        Raises:
            Retry: it is going to run again.
        """
        request = self.request
        until = retry_deadline(request.args, request.kwargs if kwargs is None else kwargs)
        decision = retry.retry_decision(
            request.retries + 1, now=time.time(), deadline=until, max_attempts=MAX_RETRIES
        )
        log.warning(
            "task-fault", error=type(error).__name__, attempts=request.retries + 1, again=decision.retry
        )
        if decision.retry:
            raise self._retry_later(decision.seconds, args, kwargs)

    def _retry_later(
        self, seconds: float, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None
    ) -> Retry:
        # To its queue alone: the key it came by may be one that also parks a copy. Whole seconds, at least
        # one, are what RabbitMQ's delayed delivery knows.
        return self.retry(
            args=args,
            kwargs=kwargs,
            countdown=max(seconds, 1.0),
            queue=kombu_queues.name_for(self.request.delivery_info["routing_key"]),
            argsrepr=self.request.argsrepr,
            kwargsrepr="{}",
            throw=False,
        )


def retry_deadline(args: Sequence[Any], kwargs: Mapping[str, Any]) -> float:
    """Return until when a task is worth retrying, in seconds since the epoch."""
    if args and isinstance(args[0], dict):
        return float(args[0].get("received_at", 0)) + INTAKE_RETRY_SECONDS
    return float(kwargs.get("until", 0))


INTAKE_RETRY_SECONDS = 86400.0
"""An event is brought into the ledger however long it takes, up to the day that EventBridge may retry."""


def error_location(error: BaseException) -> str:
    """Return where `error` was raised, as file and line of the innermost frame."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown"
