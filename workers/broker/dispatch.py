"""Sends tasks by name with plain JSON arguments, of which Flower shows only ids.

A task that the broker does not take is spooled: workers then take it from Redis.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import redis
import structlog
from amqp.exceptions import AMQPError
from celery import Celery
from kombu.exceptions import OperationalError

from common import clock, topology, tracing
from common.events import SCHEMA, Event
from common.plan import RECORDING_SECONDS
from common.topology import QueueName, Topology
from workers import metrics
from workers.broker.amqp_transport import BrokerUnavailable
from workers.broker.breaker import CircuitBreaker
from workers.broker.spool import Spool, SpooledTask
from workers.checks.api import Runs

MESSAGE_SECONDS = 30.0
"""Time limit of a message with CPU checks, lookups included; below the visibility timeout on Redis.

The checks' own work has a lower limit, `time_limits.REVIEW_SECONDS`. A message reaches this one if lookups
are slow.
"""

_MAX_ID_BYTES = 255
"""AMQP's limit for the id of a task, which is also its correlation id."""

BROKER_ERRORS = (OperationalError, AMQPError, OSError)
"""Raised when a message could not be published: no connection, no confirm, or refused."""

_QUEUES = {Runs.CPU: QueueName.CHECKS_CPU, Runs.IO: QueueName.CHECKS_IO}

log = structlog.get_logger()


class Dispatch:
    """Sends the tasks of dwgate. Every send has a time limit, and RabbitMQ confirms it.

    Args:
        app: the Celery application.
        names: the fleet's queues.
        spool: keeps the tasks that the broker does not take.
    """

    def __init__(self, app: Celery, names: Topology, spool: Spool) -> None:
        self._app = app
        self._names = names
        self._spool = spool
        self._breaker = CircuitBreaker()

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
        """Publish a token: a reporter that receives it posts pending reports, earliest deadline first.

        Raises:
            OperationalError: the broker did not take it. It is not spooled: the watchdog issues tokens again.
        """
        self._publish(QueueName.REPORTS, SpooledTask(f"report-{uuid.uuid4().hex}", topology.TASK_REPORT))

    def may_publish(self) -> bool:
        """Whether the caller may publish now; it then calls `note_publish`."""
        return self._breaker.may_try()

    def note_publish(self, fault: Exception | None) -> None:
        """Record how a publish ended: None, or its fault."""
        # One line when it begins and one when it ends, not one per attempt.
        if fault is None:
            if self._breaker.note_success():
                log.info("broker_takes_messages_again")
        elif self._breaker.note_failure():
            log.warning("broker_takes_no_messages", error=type(fault).__name__)

    def spool(self, queue: QueueName, task: SpooledTask, *, delay: float = 0.0) -> None:
        """Keep a task that the broker does not take; a worker takes it after `delay` seconds.

        Raises:
            redis.RedisError: Redis does not take it either.
        """
        self._spool.add(queue, task, delay=delay)
        metrics.TASKS_SPOOLED.labels(task.name).inc()

    def plan_token(self) -> None:
        """Publish a token: a process of intake plans waiting events, earliest deadline first."""
        self._send(topology.TASK_PLAN, QueueName.INTAKE, f"plan-{uuid.uuid4().hex}", "-")

    def _send_checks(self, queue: QueueName, arguments: dict[str, Any]) -> None:
        message_id, checks = arguments["message_id"], arguments["checks"]
        self._send(
            topology.TASK_CHECK,
            queue,
            _task_id(f"{message_id}.{arguments['run']}.{'+'.join(checks)}"),
            f"{message_id} {' '.join(checks)}",
            kwargs=arguments,
        )

    def _send(
        self,
        name: str,
        queue: QueueName,
        task_id: str,
        display: str,
        *,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        task = SpooledTask(task_id, name, args, kwargs or {}, repr(display))
        try:
            self._publish(queue, task)
        except OperationalError:
            try:
                self.spool(queue, task)
            except redis.RedisError as error:
                log.warning("redis_unavailable", component="spool", error=type(error).__name__)
            else:
                return
            raise

    def _publish(self, queue: QueueName, task: SpooledTask) -> None:
        """Publish a task.

        Raises:
            OperationalError: the broker did not take it.
        """
        # Asked with a connection at hand: threads that wait for one wait for an attempt that may fail.
        with tracing.span(f"send {task.name}", "producer"), self._app.producer_or_acquire() as producer:
            if not self.may_publish():
                raise BrokerUnavailable("it took no message a moment ago")
            try:
                self._app.send_task(
                    task.name,
                    producer=producer,
                    queue=self._names[queue].name,
                    task_id=task.id,
                    args=[*task.args],
                    kwargs={**task.kwargs},
                    argsrepr=task.display,
                    kwargsrepr="{}",
                    **time_limits(queue, task.kwargs),
                )
            except BROKER_ERRORS as error:
                self.note_publish(error)
                raise BrokerUnavailable(type(error).__name__) from error
            self.note_publish(None)


def time_limits(queue: QueueName, arguments: Mapping[str, Any]) -> dict[str, float]:
    """Return the time limits of a task of `queue` that starts now, as options of Celery."""
    if queue not in (QueueName.CHECKS_CPU, QueueName.CHECKS_SLOW):
        return {}
    left = arguments["until"] - RECORDING_SECONDS - clock.now()
    return {"time_limit": max(1.0, min(left, MESSAGE_SECONDS))}


def _task_id(text: str) -> str:
    return text.encode()[:_MAX_ID_BYTES].decode(errors="ignore")
