"""The Celery tasks on a real Valkey: what each does with a message, and with a fault."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import redis
from billiard.exceptions import TimeLimitExceeded
from celery.exceptions import Ignore, Reject, Retry

from common import topology
from common.events import SCHEMA, Event
from common.ledger import State
from common.processes.time_limits import TimeLimitReached
from common.topology import Queue, QueueName
from tests.support.emulator_process import PROJECT_ID, Emulator
from tests.support.engines import Valkey
from tests.support.plans import plan_of
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import SAMPLES
from workers import check_execution, metrics, reporter
from workers.celery_app import create_app
from workers.services import Services
from workers.settings import WorkerSettings
from workers.task_base import NEWER_ATTEMPTS
from workers.tasks import register_tasks

QUEUES = {
    topology.TASK_INTAKE: TOPOLOGY[QueueName.INTAKE],
    topology.TASK_CHECK: TOPOLOGY[QueueName.CHECKS_IO],
    topology.TASK_REPORT: TOPOLOGY[QueueName.REPORTS],
}


@pytest.fixture
def services(worker_settings: WorkerSettings) -> Iterator[Services]:
    app = create_app(worker_settings)
    services = Services(worker_settings, app)
    register_tasks(app, services)
    yield services
    app.close()
    services.ledger.client.close()


def deliver(services: Services, name: str, *args: Any, retries: int = 0, **kwargs: Any) -> None:
    """Run a task as a worker does that has received its message."""
    task = services.app.tasks[name]
    delivery = {"routing_key": QUEUES[name].name, "redelivered": False}
    task.push_request(
        id="t-1",
        args=args,
        kwargs=kwargs,
        argsrepr="-",
        retries=retries,
        delivery_info=delivery,
        called_directly=False,
    )
    try:
        task(*args, **kwargs)
    finally:
        task.pop_request()


def check(services: Services, *, until: float, v: int = SCHEMA) -> None:
    deliver(
        services, topology.TASK_CHECK, v=v, message_id="m-1", run=1, checks=["downstream-impact"], until=until
    )


def messages(services: Services, queue: Queue) -> list[tuple[dict[str, Any], list[Any]]]:
    """Return a queue's messages, oldest first: the headers, and the body."""
    found = []
    for raw in reversed(services.ledger.client.lrange(queue.name, 0, -1)):
        message = orjson.loads(raw)
        found.append((message["headers"], orjson.loads(base64.b64decode(message["body"]))))
    return found


def event(emulator: Emulator, message_id: str, sample: str = "freeze-node-good") -> Event:
    wanted = SAMPLES[sample]
    emulator.start_process(message_id, wanted.event_code, snapshot=wanted.snapshot)
    return Event(message_id, wanted.event_code, PROJECT_ID, None, True, wanted.data, time.time())


def ended(task: str, end: str) -> float:
    """Return how many tasks of a kind have ended so."""
    return float(metrics.TASKS.labels(task, end)._value.get())


def test_intake_plans_events_and_a_check_completes_them(services: Services, emulator: Emulator) -> None:
    before = ended(topology.TASK_CHECK, "done")
    deliver(services, topology.TASK_INTAKE, event(emulator, "m-1").to_json())
    assert services.ledger.states(["m-1"]) == [State.CHECKING]

    check(services, until=time.time() + 40)
    assert ended(topology.TASK_CHECK, "done") == before + 1
    deliver(services, topology.TASK_REPORT)
    assert len(emulator.verdicts("m-1")) == 1


def test_only_the_events_that_a_fault_held_up_are_tried_again(services: Services, emulator: Emulator) -> None:
    emulator.fault("error", action="GetIDEEventDetail", times=None, status=500, code="InternalError.System")
    events = [event(emulator, "m-1"), event(emulator, "m-2", "commit-file-good")]
    with pytest.raises(Retry):
        deliver(services, topology.TASK_INTAKE, *[each.to_json() for each in events], retries=2)

    assert services.ledger.states(["m-1", "m-2"]) == [State.CHECKING, State.RECEIVED]
    [(headers, (args, _, _))] = messages(services, TOPOLOGY[QueueName.INTAKE])
    assert [raw["message_id"] for raw in args] == ["m-2"]
    assert headers["retries"] == 3
    assert headers["eta"]


@pytest.mark.parametrize("ahead", [40, -1])
def test_a_check_is_tried_again_while_there_is_time(
    services: Services, monkeypatch: pytest.MonkeyPatch, ahead: float
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise redis.ConnectionError("for the test")

    monkeypatch.setattr(check_execution, "execute", fail)
    before = ended(topology.TASK_CHECK, "given-up")
    if ahead > 0:
        with pytest.raises(Retry):
            check(services, until=time.time() + ahead)
    else:
        check(services, until=time.time() + ahead)
    assert len(messages(services, TOPOLOGY[QueueName.CHECKS_IO])) == (ahead > 0)
    assert ended(topology.TASK_CHECK, "given-up") - before == (ahead < 0)


def test_a_message_whose_retry_cannot_be_published_is_delivered_again(
    services: Services, emulator: Emulator, valkey: Valkey
) -> None:
    raw = event(emulator, "m-1").to_json()
    valkey.kill()
    with pytest.raises(Reject) as rejected:
        deliver(services, topology.TASK_INTAKE, raw)
    assert rejected.value.requeue


def test_what_a_newer_version_sent_waits_for_a_newer_worker(services: Services) -> None:
    arguments: dict[str, Any] = {"v": SCHEMA + 1, "invented": [1]}
    with pytest.raises(Retry):
        deliver(services, topology.TASK_CHECK, **arguments)
    [(headers, (_, kwargs, _))] = messages(services, TOPOLOGY[QueueName.CHECKS_IO])
    assert kwargs == arguments
    assert headers["retries"] == 1

    with pytest.raises(Reject) as rejected:
        deliver(services, topology.TASK_CHECK, retries=NEWER_ATTEMPTS, **arguments)
    assert not rejected.value.requeue


def test_an_event_of_a_newer_version_waits_and_the_others_of_its_message_do_not(
    services: Services, emulator: Emulator
) -> None:
    newer = {"v": SCHEMA + 1, "invented": 1}
    with pytest.raises(Retry):
        deliver(services, topology.TASK_INTAKE, newer, event(emulator, "m-1").to_json(), "no event")
    assert services.ledger.states(["m-1"]) == [State.CHECKING]
    assert [entry["body"] for entry in services.ledger.rejects()] == ['"no event"']
    [(_, (args, _, _))] = messages(services, TOPOLOGY[QueueName.INTAKE])
    assert args == [newer]

    deliver(services, topology.TASK_INTAKE, newer, retries=NEWER_ATTEMPTS)
    assert "newer dwgate" in services.ledger.rejects()[0]["reason"]


def test_what_celery_itself_asks_for_is_left_to_celery(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ignore(*_: object, **__: object) -> None:
        raise Ignore

    monkeypatch.setattr(check_execution, "execute", ignore)
    with pytest.raises(Ignore):
        check(services, until=time.time() + 40)


@pytest.mark.parametrize(
    ("error", "fast", "slow"),
    [(TimeLimitReached(), 0, 1), (TimeLimitExceeded(1), 2, 0), (ValueError("other"), 0, 0)],
)
def test_checks_of_a_killed_process_run_again(
    services: Services, emulator: Emulator, error: BaseException, fast: int, slow: int
) -> None:
    an_event = event(emulator, "m-1")
    services.ledger.admit(an_event, an_event.received_at + 60, an_event.received_at + 48)
    services.ledger.save_plan("m-1", 1, plan_of("first", "second"), None, {})
    arguments = {"message_id": "m-1", "run": 1, "checks": ["first", "second"], "until": time.time() + 40}
    services.app.tasks[topology.TASK_CHECK].on_failure(error, "t-1", [], arguments, None)
    assert len(messages(services, TOPOLOGY[QueueName.CHECKS_CPU])) == fast
    assert len(messages(services, TOPOLOGY[QueueName.CHECKS_SLOW])) == slow


def test_a_token_that_has_served_for_long_calls_another(
    services: Services, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporter, "SERVE_SECONDS", 0.0)
    for message_id in ("m-1", "m-2"):
        an_event = event(emulator, message_id)
        services.ledger.admit(an_event, an_event.received_at + 60, an_event.received_at + 48)
        services.ledger.save_plan(message_id, 1, plan_of(), None, {})
        assert services.ledger.record_outcomes(message_id, 1, {}).is_complete
    deliver(services, topology.TASK_REPORT)

    assert len(emulator.verdicts()) == 1
    assert len(messages(services, TOPOLOGY[QueueName.REPORTS])) == 1
