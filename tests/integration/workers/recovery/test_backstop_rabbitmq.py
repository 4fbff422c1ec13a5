"""The backstop on a real RabbitMQ: parked copies and dead-lettered messages."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from kombu.connection import Connection

from common import topology
from common.events import Event
from common.ledger import State
from common.topology import Queue, QueueName
from common.verdicts import OutcomeKind
from tests.support.emulator_process import EXTENSION_CODE, PROJECT_ID, Emulator, running, use_credentials
from tests.support.engines import Valkey
from tests.support.plans import plan_of
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import wait_for
from workers.broker import kombu_queues
from workers.celery_app import create_app
from workers.recovery import backstop_rabbitmq
from workers.services import Services
from workers.settings import WorkerSettings


def event(message_id: str = "m-1") -> Event:
    return Event(message_id, "freeze-node", PROJECT_ID, "u", True, {"nodeIds": [1]}, time.time())


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with pytest.MonkeyPatch.context() as environment, running() as emulator:
        use_credentials(environment)
        yield emulator


@pytest.fixture
def services(broker_url: str, clean_redis_url: str, emulator: Emulator) -> Iterator[Services]:
    settings = WorkerSettings.model_validate(
        {
            "broker_url": broker_url,
            "redis_url": clean_redis_url,
            "extension_code": EXTENSION_CODE,
            "region": "cn-shanghai",
            "openapi_endpoint": emulator.host_port,
            "openapi_protocol": "http",
        }
    )
    services = Services(settings, create_app(settings))
    with Connection(broker_url) as connection:
        for queue in TOPOLOGY.task_queues:
            kombu_queues.build_amqp_queue(queue, declare=True)(connection.default_channel).declare()
    stop = threading.Event()
    thread = threading.Thread(target=backstop_rabbitmq.run, args=(services, stop))
    thread.start()
    try:
        wait_for(lambda: consumers(broker_url) == 1)
        yield services
    finally:
        stop.set()
        thread.join(20)
        services.ledger.client.close()
        services.app.close()


def consumers(url: str) -> int:
    with Connection(url) as connection:
        try:
            return int(
                connection.default_channel.queue_declare(TOPOLOGY[QueueName.DEAD].name, passive=True)[2]
            )
        except connection.channel_errors:
            return 0


def publish(services: Services, exchange: str, key: str, body: bytes, task: str) -> None:
    with Connection(services.settings.broker_url.get_secret_value()) as connection:
        producer: Any = connection.Producer()
        producer.publish(
            body,
            exchange=exchange,
            routing_key=key,
            content_type="application/json",
            content_encoding="utf-8",
            headers={"task": task, "id": "m-1", "x-death": [{"count": 1}]},
            correlation_id="m-1",
        )


def due(services: Services, an_event: Event | bytes) -> None:
    body = an_event if isinstance(an_event, bytes) else orjson.dumps([[an_event.to_json()], {}, {}])
    publish(services, TOPOLOGY.exchange, TOPOLOGY[QueueName.DUE].routing_key, body, topology.TASK_INTAKE)


def drain(services: Services, queue: Queue) -> list[Any]:
    with Connection(services.settings.broker_url.get_secret_value()) as connection:
        channel: Any = connection.default_channel
        found = []
        while (message := channel.basic_get(queue.name, no_ack=True)) is not None:
            found.append(message)
        return found


def drained(services: Services) -> bool:
    """Whether the queue of due copies is empty."""
    return drain(services, TOPOLOGY[QueueName.DUE]) == []


def test_a_new_event_that_the_ledger_does_not_know_is_admitted_and_not_multiplied(services: Services) -> None:
    arrived = event()
    due(services, arrived)
    [parked] = wait_for(lambda: drain(services, TOPOLOGY[QueueName.BACKSTOP]))
    assert orjson.loads(parked.body)[0][0]["message_id"] == "m-1"
    assert parked.headers["task"] == topology.TASK_INTAKE
    assert "x-death" not in parked.headers
    record = services.ledger.get("m-1")
    assert record
    assert record.state is State.RECEIVED
    assert record.deadline_at == pytest.approx(arrived.received_at + 60, abs=0.01)

    due(services, arrived)
    assert len(wait_for(lambda: drain(services, TOPOLOGY[QueueName.BACKSTOP]))) == 1
    assert drain(services, TOPOLOGY[QueueName.INTAKE]) == [], "its message is still there"


def test_an_event_that_the_ledger_has_lost_goes_through_intake_again_once(services: Services) -> None:
    arrived = replace(event(), received_at=time.time() - topology.BACKSTOP_SECONDS - 1)
    due(services, arrived)
    [again] = wait_for(lambda: drain(services, TOPOLOGY[QueueName.INTAKE]))
    assert orjson.loads(again.body)[0][0]["message_id"] == "m-1"
    assert again.headers["task"] == topology.TASK_INTAKE
    assert services.ledger.states(["m-1"]) == [State.RECEIVED]

    due(services, arrived)
    assert wait_for(lambda: drain(services, TOPOLOGY[QueueName.BACKSTOP]))
    assert drain(services, TOPOLOGY[QueueName.INTAKE]) == []


def test_copies_wait_while_redis_is_unavailable(services: Services, valkey: Valkey) -> None:
    valkey.kill()
    due(services, event())
    wait_for(lambda: drained(services))  # received, and held
    valkey.start()
    wait_for(lambda: services.ledger.states(["m-1"]) == [State.RECEIVED], 30)
    assert len(wait_for(lambda: drain(services, TOPOLOGY[QueueName.BACKSTOP]))) == 1
    assert drain(services, TOPOLOGY[QueueName.DEAD]) == [], "it did not reach the delivery limit"


def test_copies_that_arrive_meanwhile_are_processed(
    services: Services, capfd: pytest.CaptureFixture[str]
) -> None:
    expected = {f"m-{number}" for number in range(150)}
    with Connection(services.settings.broker_url.get_secret_value()) as connection:
        producer: Any = connection.Producer()
        for message_id in sorted(expected):
            body = orjson.dumps([[event(message_id).to_json()], {}, {}])
            headers = {"task": topology.TASK_INTAKE, "id": message_id}
            producer.publish(
                body,
                exchange=TOPOLOGY.exchange,
                routing_key=TOPOLOGY[QueueName.DUE].routing_key,
                content_type="application/json",
                content_encoding="utf-8",
                headers=headers,
                correlation_id=message_id,
            )
    again: list[str] = []

    def all_there() -> bool:
        again.extend(
            message.properties["correlation_id"] for message in drain(services, TOPOLOGY[QueueName.BACKSTOP])
        )
        return expected <= set(again)

    wait_for(all_there, 60)
    assert len(again) == len(expected)
    assert None not in services.ledger.states(sorted(expected))
    assert "loop_step_failed" not in capfd.readouterr().out


def test_an_event_under_way_is_parked_again_and_nothing_else(services: Services) -> None:
    services.ledger.admit(event(), time.time() + 60, time.time() + 60)
    due(services, event())
    assert wait_for(lambda: drain(services, TOPOLOGY[QueueName.BACKSTOP]))
    assert drain(services, TOPOLOGY[QueueName.INTAKE]) == []


def test_an_event_that_ended_is_dropped(services: Services) -> None:
    services.ledger.admit(event(), time.time() + 60, time.time() + 60)
    services.ledger.mark_ignored("m-1", "for the test")
    due(services, event())
    due(services, event("m-2"))  # once this one is processed, the first one was, too
    parked = wait_for(lambda: drain(services, TOPOLOGY[QueueName.BACKSTOP]))
    assert [orjson.loads(message.body)[0][0]["message_id"] for message in parked] == ["m-2"]


def test_an_event_that_is_too_old_is_kept_with_the_rejects(services: Services) -> None:
    due(services, replace(event(), received_at=time.time() - 2 * 86400))
    assert "within a day" in wait_for(services.ledger.rejects)[0]["reason"]
    assert services.ledger.states(["m-1"]) == [None]


@pytest.mark.parametrize("body", [b"no json", b"", b"7", orjson.dumps([[{"v": 0}], {}, {}]), b"[[], {}, {}]"])
def test_what_cannot_be_read_is_kept_with_the_rejects(services: Services, body: bytes) -> None:
    due(services, body)
    due(services, event("m-2"))
    assert wait_for(services.ledger.rejects)[0]["body"] == body.decode()
    assert wait_for(lambda: services.ledger.states(["m-2"]) == [State.RECEIVED]), "the copy behind it"


def test_a_dead_lettered_check_is_unreviewable_and_the_event_is_reported(services: Services) -> None:
    services.ledger.admit(event(), time.time() + 60, time.time() + 60)
    services.ledger.save_plan("m-1", 1, plan_of("code-review"), None, {})
    arguments = {"v": 1, "message_id": "m-1", "run": 1, "checks": ["code-review"], "until": time.time() + 50}
    publish(
        services,
        TOPOLOGY.dead_exchange,
        TOPOLOGY[QueueName.CHECKS_CPU].name,
        orjson.dumps([[], arguments, {}]),
        topology.TASK_CHECK,
    )
    report = wait_for(lambda: services.ledger.reports.lease("test", 60))

    assert report
    assert report.message_id == "m-1"
    record = services.ledger.get("m-1")
    assert record
    assert record.outcomes["code-review"].kind is OutcomeKind.UNREVIEWABLE


def test_events_of_a_dead_lettered_intake_are_answered(services: Services, emulator: Emulator) -> None:
    emulator.start_process("m-1", "freeze-node")
    body = orjson.dumps([[event().to_json()], {}, {}])
    publish(services, TOPOLOGY.dead_exchange, TOPOLOGY[QueueName.INTAKE].name, body, topology.TASK_INTAKE)

    assert emulator.wait_verdict("m-1", 20)["result"] == "OK"  # Operation Center has no WARN
    wait_for(lambda: (r := services.ledger.get("m-1")) and r.state is State.REPORTED)
    record = services.ledger.get("m-1")
    assert record
    assert record.verdict
    assert record.verdict.result == "WARN"
    assert record.verdict.reason == "deadline"


def test_an_intake_without_an_answer_stays_watched(services: Services, emulator: Emulator) -> None:
    emulator.start_process("m-3", "freeze-node")
    emulator.fault("error", message_id="m-3", times=None, status=403, code="Forbidden.RAM")
    body = orjson.dumps([[event("m-3").to_json()], {}, {}])
    publish(services, TOPOLOGY.dead_exchange, TOPOLOGY[QueueName.INTAKE].name, body, topology.TASK_INTAKE)

    wait_for(lambda: (record := services.ledger.get("m-3")) and "Forbidden" in record.timeline[-1].detail)
    assert services.ledger.states(["m-3"]) == [State.DECIDED]
    assert emulator.status("m-3") == "CHECKING"


def test_an_intake_that_cannot_be_read_is_kept_with_the_rejects(services: Services) -> None:
    publish(
        services, TOPOLOGY.dead_exchange, TOPOLOGY[QueueName.INTAKE].name, b"no json", topology.TASK_INTAKE
    )
    assert "not JSON" in wait_for(services.ledger.rejects)[0]["reason"]


def test_a_dead_lettered_token_loses_no_report(services: Services) -> None:
    services.ledger.admit(event(), time.time() + 60, time.time() + 60)
    services.ledger.save_plan("m-1", 1, plan_of(), None, {})
    assert services.ledger.record_outcomes("m-1", 1, {}).is_complete
    body = orjson.dumps([[], {}, {}])
    publish(services, TOPOLOGY.dead_exchange, TOPOLOGY[QueueName.REPORTS].name, body, topology.TASK_REPORT)
    wait_for(lambda: drained(services))
    assert services.ledger.reports.lease("test", 60)
