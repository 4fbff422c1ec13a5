"""Events that no intake worker has planned: the watchdog's processes plan them, nearest decision first."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from common.events import Event
from common.ledger import State, UnplannedEvent
from tests.support.emulator_process import PROJECT_ID, Emulator
from tests.support.plans import plan_of
from tests.support.running_dwgate import wait_for
from workers import metrics
from workers.celery_app import create_app
from workers.recovery import takeover
from workers.services import Services
from workers.settings import WorkerSettings


@pytest.fixture
def services(worker_settings: WorkerSettings) -> Iterator[Services]:
    services = Services(worker_settings, create_app(worker_settings), is_io_pool=True)
    services.dataworks.warm_up()
    yield services
    services.ledger.client.close()
    services.app.close()


@pytest.fixture
def running(services: Services) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=takeover.run, args=(services, stop))
    thread.start()
    yield
    stop.set()
    thread.join(30)
    assert not thread.is_alive()


def admit(services: Services, message_id: str = "m-1", *, age: float, seconds: float = 60) -> None:
    """Admit an event that arrived `age` seconds ago and is decided `seconds` after its arrival."""
    received = time.time() - age
    event = Event(message_id, "freeze-node", PROJECT_ID, "u", True, {"nodeIds": [1]}, received)
    services.ledger.admit(event, received + seconds + 10, received + seconds)


@pytest.mark.usefixtures("running")
def test_an_event_that_intake_did_not_plan_gets_its_checks(services: Services, emulator: Emulator) -> None:
    emulator.start_process("m-1", "freeze-node")
    admit(services, age=21)
    wait_for(lambda: services.ledger.states(["m-1"]) == [State.REPORTED])
    record = services.ledger.get("m-1")
    assert record
    assert record.plan
    assert record.pending_checks == ()
    assert len(emulator.verdicts("m-1")) == 1


def test_intake_is_left_a_third_of_the_time() -> None:
    event = UnplannedEvent("m-1", 1000.0, 1048.0)
    assert not takeover.is_due(event, 1015.9)
    assert takeover.is_due(event, 1016.0)


def test_one_process_plans_an_event_and_not_for_ever(services: Services) -> None:
    admit(services, age=21)
    ledger = services.ledger
    assert ledger.take_over("m-1", 10, 2)
    assert not ledger.take_over("m-1", 10, 2), "leased"
    ledger.client.hset(ledger.key("event:m-1"), "takeover_until", 0)
    assert ledger.take_over("m-1", 0, 2)
    assert not ledger.take_over("m-1", 0, 2), "twice is enough"
    ledger.mark_dead("m-1", "for the test")
    assert ledger.reopen("m-1", time.time() + 60, time.time() + 50, actor="a", reason="r")
    assert ledger.take_over("m-1", 0, 2), "a new run"


def test_unplanned_events_are_known_by_their_decision(services: Services) -> None:
    admit(services, "later", age=5, seconds=60)
    admit(services, "sooner", age=1, seconds=20)
    admit(services, "planned", age=1, seconds=10)
    services.ledger.save_plan("planned", 1, plan_of("downstream-impact"), None, {})
    assert [event.message_id for event in services.ledger.unplanned(10)] == ["sooner", "later"]
    assert services.ledger.unplanned(1) == []


@pytest.mark.usefixtures("running")
def test_the_age_of_what_waits_is_a_metric(services: Services) -> None:
    admit(services, age=3)
    wait_for(lambda: metrics.UNPLANNED_SECONDS._value.get() > 3)
    services.ledger.mark_ignored("m-1", "for the test")
    wait_for(lambda: metrics.UNPLANNED_SECONDS._value.get() == 0)


@pytest.mark.usefixtures("running")
def test_an_event_that_cannot_be_read_stops_nothing(services: Services, emulator: Emulator) -> None:
    emulator.start_process("m-1", "freeze-node")
    admit(services, "broken", age=30)
    services.ledger.client.hset(services.ledger.key("event:broken"), "event", "no json")
    admit(services, age=21)
    wait_for(lambda: services.ledger.states(["m-1"]) == [State.REPORTED])
