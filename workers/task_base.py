"""The base of every task: metrics, log context, and retries."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar

import redis
import structlog
from celery import Task
from celery.exceptions import Ignore, Reject, Retry
from kombu.exceptions import OperationalError

from common import clock
from common.ledger import redis_faults
from common.topology import QueueName, Topology
from workers import metrics, progress, retry
from workers.broker import kombu_queues
from workers.broker.amqp_transport import BrokerUnavailable
from workers.broker.dispatch import Dispatch
from workers.broker.spool import SpooledTask
from workers.dataworks.errors import Transient

TRANSIENT_ERRORS = (
    Transient,
    *redis_faults.TRANSIENT_ERRORS,
    OperationalError,
)
"""Faults that a retry may resolve: DataWorks or an engine is unreachable, refuses writes, or throttles."""

ENGINE_RETRY_SECONDS = 2.0
"""Maximum wait before a retry after a fault of an engine: its tasks continue soon after it is repaired."""

MAX_RETRIES = 100_000
"""Retries end at their deadline; this bounds tasks whose deadline is invalid."""

NEWER_SECONDS = 15.0
"""Seconds between two deliveries of a message that a newer dwgate wrote."""

NEWER_ATTEMPTS = 40
"""Deliveries of such a message: ten minutes, for workers that are upgraded after ingest."""

log = structlog.get_logger()


class TaskEnd(StrEnum):
    """How a task ended; a label of the metrics."""

    DONE = "done"
    FAILED = "failed"
    RETRIED = "retried"
    GIVEN_UP = "given-up"


class BaseTask(Task):  # type: ignore[misc]  # Celery ships no types
    """A task that is measured, logged with its event's id, and retried on transient faults.

    A transient fault is retried until `retry_deadline`; after that, and after any other fault, the task ends
    and the watchdog answers the event. Logs contain an error's type and location, never its text, which may
    contain a node's code.

    Attributes:
        topology: the fleet's queues.
        dispatch: keeps a retry that the broker does not take; see `workers.tasks`.
        dead_letters_failures: whether a message whose task fails for good becomes a dead letter.
    """

    topology: ClassVar[Topology]
    dispatch: Dispatch
    dead_letters_failures: ClassVar[bool] = False
    abstract = True
    max_retries = MAX_RETRIES
    acks_on_failure_or_timeout = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task, and return what it returns."""
        started = time.perf_counter()
        end = TaskEnd.FAILED
        context = {"message_id": kwargs["message_id"]} if "message_id" in kwargs else {}
        with structlog.contextvars.bound_contextvars(task=self.name, **context):
            try:
                with progress.step(may_wait=True):
                    returned = self.run(*args, **kwargs)
                end = TaskEnd.DONE
                return returned  # noqa: TRY300 - the metrics name the end
            except (Retry, Ignore, Reject):
                end = TaskEnd.RETRIED
                raise
            except TRANSIENT_ERRORS as error:
                end = TaskEnd.RETRIED
                self.retry_transient(error)
                end = TaskEnd.GIVEN_UP
            except Exception as error:  # noqa: BLE001 - the watchdog answers the event; the worker continues
                log.error("task_failed", error=type(error).__name__, at=error_location(error))
                if self.dead_letters_failures:
                    raise Reject(type(error).__name__, requeue=False) from None
            finally:
                metrics.TASKS.labels(self.name, end.value).inc()
                seconds = time.perf_counter() - started
                metrics.TASK_SECONDS.labels(self.name, self._queue_label()).observe(seconds)

    def retry_transient(
        self, error: Exception, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None
    ) -> None:
        """Retry this task after a transient fault; return if its retries are exhausted.

        Args:
            error: the fault.
            args: positional arguments of the retry; None for the same.
            kwargs: keyword arguments of the retry; None for the same.

        Raises:
            Retry: the task is scheduled again.
            Reject: the retry could not be published; the broker delivers the message again.
        """
        request = self.request
        deadline = retry_deadline(request.args, request.kwargs if kwargs is None else kwargs)
        decision = retry.retry_decision(
            request.retries + 1,
            now=clock.now(),
            deadline=deadline,
            max_attempts=MAX_RETRIES,
            cap=retry.MAX_SECONDS if isinstance(error, Transient) else ENGINE_RETRY_SECONDS,
        )
        log.warning(
            "task_interrupted",
            error=describe_error(error),
            attempts=request.retries + 1,
            will_retry=decision.retry,
        )
        if decision.retry:
            raise self._retry_later(decision.seconds, args, kwargs)

    def wait_for_newer_worker(self, args: Sequence[Any] | None = None) -> None:
        """Send what a newer dwgate wrote again, for a worker that can read it.

        Return if it has waited for NEWER_ATTEMPTS deliveries.

        Args:
            args: positional arguments of the next attempt; None for the same.

        Raises:
            Retry: the task is scheduled again.
            Reject: the retry could not be published; the broker delivers the message again.
        """
        attempts = self.request.retries + 1
        will_retry = attempts < NEWER_ATTEMPTS
        log.warning("message_from_newer_version", attempts=attempts, will_retry=will_retry)
        if will_retry:
            raise self._retry_later(NEWER_SECONDS, args)

    def _retry_later(
        self, seconds: float, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None
    ) -> Retry:
        # To its queue only: the original routing key may also park a copy.
        fault: Exception = BrokerUnavailable("it took no message a moment ago")
        if self.dispatch.may_publish():
            try:
                # RabbitMQ's delayed delivery has whole seconds, at least one.
                retried = self.retry(
                    args=args,
                    kwargs=kwargs,
                    countdown=max(seconds, 1.0),
                    queue=self.topology[self._queue()].name,
                    argsrepr=self._display(),
                    kwargsrepr="{}",
                    throw=False,
                )
            except Reject as rejected:
                fault = rejected.reason
                self.dispatch.note_publish(fault)
            else:
                self.dispatch.note_publish(None)
                return retried
        return self._spool_retry(seconds, args, kwargs, fault)

    def _spool_retry(
        self, seconds: float, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None, fault: Exception
    ) -> Retry:
        request = self.request
        task = SpooledTask(
            request.id,
            self.name,
            request.args if args is None else args,
            request.kwargs if kwargs is None else kwargs,
            self._display(),
            request.retries + 1,
        )
        try:
            self.dispatch.spool(self._queue(), task, delay=seconds)
        except redis.RedisError:
            # Celery dead-letters a message whose retry it cannot publish, and its event would be answered
            # without the checks. Delivered again, it has the rest of its deadline.
            raise Reject(fault, requeue=True) from None
        return Retry(exc=fault, when=seconds)

    def _display(self) -> str:
        return str(getattr(self.request, "argsrepr", "'-'"))

    def _queue_label(self) -> str:
        delivery = self.request.delivery_info or {}
        return kombu_queues.queue_label(self.topology, str(delivery.get("routing_key")))

    def _queue(self) -> QueueName:
        return kombu_queues.find_queue(self.topology, self.request.delivery_info["routing_key"])


def retry_deadline(args: Sequence[Any], kwargs: Mapping[str, Any]) -> float:
    """Return the time after which a task is not retried, in seconds since the epoch."""
    if args:
        times = [raw.get("received_at") for raw in args if isinstance(raw, dict)]
        arrivals = [float(at) for at in times if isinstance(at, int | float)]
        return max(arrivals, default=0.0) + INTAKE_RETRY_SECONDS
    return float(kwargs.get("until", 0))


INTAKE_RETRY_SECONDS = 86400.0
"""Intake is retried for a day, as long as EventBridge may retry a delivery."""


def describe_error(error: Exception) -> str:
    """Return the name of a fault for the log, and count one of Redis."""
    if not isinstance(error, redis.RedisError):
        return type(error).__name__
    fault = redis_faults.classify(error)
    metrics.REDIS_FAULTS.labels(fault.label).inc()
    return f"redis {fault.label}"


def error_location(error: BaseException) -> str:
    """Return file and line of the innermost frame of `error`."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown"
