"""The Celery tasks: wiring only. Arguments are plain JSON with a schema version; results are not stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from billiard.exceptions import TimeLimitExceeded
from celery import Celery
from celery.exceptions import Reject

from common import topology
from common.events import UnknownSchema
from common.processes.time_limits import TimeLimitReached
from common.topology import QueueName
from workers import check_execution, cpu_checks, intake, reporter
from workers.broker import kombu_queues
from workers.broker.dispatch import Dispatch
from workers.check_request import CheckRequest
from workers.messages.events import NEWER, read_events, to_bytes
from workers.messages.refused import refuse
from workers.messages.task_message import CheckArguments, read_check_arguments
from workers.services import Services
from workers.task_base import BaseTask
from workers.task_events import MAX_RESULT_CHARACTERS, CheckEnd, encode_ends


def register_tasks(app: Celery, services: Services) -> None:
    """Register the tasks, which use `services`, with `app`."""
    names = services.settings.topology

    class ServiceTask(BaseTask):
        abstract = True

        @property
        def dispatch(self) -> Dispatch:  # type: ignore[override]  # created on first use, after any fork
            return services.dispatch

    class Intake(ServiceTask):
        name = topology.TASK_INTAKE
        topology = names

        dead_letters_failures = True

        def run(self, *arguments: Any) -> None:
            _run_intake(self, services, arguments)

    class Check(ServiceTask):
        name = topology.TASK_CHECK
        topology = names
        Request = CheckRequest
        send_events = False
        resultrepr_maxsize = MAX_RESULT_CHARACTERS

        def run(self, **arguments: Any) -> str:
            return encode_ends(_run_check(self, services, arguments))

        def on_failure(self, exc: BaseException, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
            """Celery's hook; after a hard time limit it is called in the parent of the killed process."""
            del task_id, args, einfo
            by_input = isinstance(exc, TimeLimitReached)
            if by_input or isinstance(exc, TimeLimitExceeded):
                cpu_checks.on_killed(
                    services,
                    kwargs["message_id"],
                    kwargs["run"],
                    kwargs["checks"],
                    kwargs["until"],
                    kwargs.get("workspace"),
                    by_input=by_input,
                )

    class Report(ServiceTask):
        """A token: it posts pending reports, whichever they are.

        Flower shows each report under its own id (`workers.task_events`) instead of the token.
        """

        name = topology.TASK_REPORT
        topology = names
        send_events = False

        def run(self) -> None:
            is_redelivery = bool(self.request.delivery_info.get("redelivered"))
            if reporter.post_pending(services, self.request.id, is_redelivery=is_redelivery):
                services.dispatch.report_token()

    class Plan(BaseTask):
        """A token: it plans waiting events, whichever they are."""

        name = topology.TASK_PLAN
        topology = names
        send_events = False

        def run(self) -> None:
            is_redelivery = bool(self.request.delivery_info.get("redelivered"))
            intake.plan_waiting(services, self.request.id, is_redelivery=is_redelivery)

    for task in (Intake, Check, Report, Plan):
        app.register_task(task())


def _run_intake(task: BaseTask, services: Services, arguments: Sequence[Any]) -> None:
    """Process the events of a message that can be read; the others wait for a newer worker or are refused."""
    read = read_events(arguments)
    for content, reason in read.invalid:
        refuse(services, QueueName.INTAKE, content, reason)
    is_redelivery = bool(task.request.delivery_info.get("redelivered"))
    unfinished, fault = intake.process_events(services, read.events, is_redelivery=is_redelivery)
    if fault:
        task.retry_transient(fault, [*(event.to_json() for event in unfinished), *read.newer])
    elif read.newer:
        task.wait_for_newer_worker(read.newer)
        for raw in read.newer:
            refuse(services, QueueName.INTAKE, to_bytes(raw), NEWER)


def _run_check(task: BaseTask, services: Services, arguments: Mapping[str, Any]) -> list[CheckEnd]:
    """Run the checks of a message, and return how they ended.

    Raises:
        Reject: a newer dwgate wrote it, and no worker that can read it has come up.
    """
    try:
        read = read_check_arguments(arguments)
    except UnknownSchema:
        task.wait_for_newer_worker()
        raise Reject(NEWER, requeue=False) from None
    return _run_checks(services, task.request.delivery_info, read)


def _run_checks(services: Services, delivery: Mapping[str, Any], read: CheckArguments) -> list[CheckEnd]:
    """Run checks as it is done on the queue that their message came from."""
    is_redelivery = bool(delivery.get("redelivered"))
    arguments = services, read.message_id, read.run, read.checks, read.until
    if read.workspace is not None:
        return cpu_checks.execute_slow(*arguments, read.workspace, is_redelivery=is_redelivery)
    if kombu_queues.find_queue(services.settings.topology, delivery["routing_key"]) is QueueName.CHECKS_CPU:
        return cpu_checks.execute_fast(*arguments, is_redelivery=is_redelivery)
    return check_execution.execute(*arguments, is_redelivery=is_redelivery)
