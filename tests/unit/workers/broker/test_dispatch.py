"""What is sent for an event."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import pytest
import redis
from amqp.exceptions import AccessRefused
from celery import Celery
from kombu.exceptions import OperationalError

from common.events import MAX_ID_BYTES
from tests.support.queues import TOPOLOGY
from workers.broker.amqp_transport import BrokerUnavailable
from workers.broker.dispatch import Dispatch
from workers.broker.spool import Spool, SpooledTask
from workers.checks.api import Runs


class SentTasks:
    """Keeps what would be sent; with a fault it raises that instead."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.options: list[dict[str, Any]] = []
        self.fault = fault
        self.attempts = 0

    def producer_or_acquire(self) -> AbstractContextManager[None]:
        return nullcontext()

    def send_task(self, _: str, **options: Any) -> None:
        """Keep the options of one task."""
        self.attempts += 1
        if self.fault:
            raise self.fault
        self.options.append(options)


class Spooled:
    """Keeps what would be spooled; with a fault it raises that instead."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.tasks: list[tuple[str, SpooledTask]] = []
        self.fault = fault

    def add(self, queue: str, task: SpooledTask, **_: Any) -> None:
        if self.fault:
            raise self.fault
        self.tasks.append((queue, task))


def dispatch(sent: SentTasks, spooled: Spooled) -> Dispatch:
    return Dispatch(cast("Celery", sent), TOPOLOGY, cast("Spool", spooled))


def send(subject: Dispatch) -> None:
    subject.send_checks("m-1", 1, ["code-review"], Runs.CPU, time.time() + 30)


def test_the_id_of_a_task_fits_into_a_correlation_id() -> None:
    sent = SentTasks()
    message_id = "码" * (MAX_ID_BYTES // 3)
    names = [f"check-with-a-long-name-{number}" for number in range(20)]
    dispatch(sent, Spooled()).send_checks(message_id, 1, names, Runs.CPU, time.time() + 30)
    [options] = sent.options
    assert options["task_id"].startswith(f"{message_id}.1.check-with")
    assert 240 < len(options["task_id"].encode()) <= 255
    assert options["kwargs"]["checks"] == names


@pytest.mark.parametrize("fault", [BrokerUnavailable("blocked"), AccessRefused("no"), TimeoutError()])
def test_a_task_that_the_broker_does_not_take_is_spooled(fault: Exception) -> None:
    spooled = Spooled()
    send(dispatch(SentTasks(fault), spooled))
    [(queue, task)] = spooled.tasks
    assert queue == "checks.cpu"
    assert task.kwargs["checks"] == ["code-review"]


def test_after_a_failure_the_next_task_is_spooled_without_an_attempt() -> None:
    sent, spooled = SentTasks(BrokerUnavailable("blocked")), Spooled()
    subject = dispatch(sent, spooled)
    send(subject)
    send(subject)
    assert sent.attempts == 1
    assert len(spooled.tasks) == 2


def test_what_redis_does_not_take_either_is_a_fault_of_the_broker() -> None:
    subject = dispatch(SentTasks(BrokerUnavailable("blocked")), Spooled(redis.ConnectionError()))
    with pytest.raises(OperationalError):
        send(subject)


def test_a_token_is_not_spooled() -> None:
    spooled = Spooled()
    with pytest.raises(OperationalError):
        dispatch(SentTasks(BrokerUnavailable("blocked")), spooled).report_token()
    assert spooled.tasks == []
