"""The reconciler on a real Valkey, against the emulator: whatever waits in DataWorks is answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from common.events import Event
from common.ledger import State
from tests.support.emulator_process import PROJECT_ID, Emulator
from tests.support.plans import plan_of
from tests.support.running_dwgate import wait_for
from workers.celery_app import create_app
from workers.recovery import reconciler
from workers.services import Services
from workers.settings import WorkerSettings

CODE = "freeze-node"


@pytest.fixture
def services(worker_settings: WorkerSettings) -> Iterator[Services]:
    settings = worker_settings.model_copy(update={"reconcile_seconds": 0.1})
    services = Services(settings, create_app(settings), is_io_pool=True)
    yield services
    services.ledger.client.close()
    services.app.close()


def state(services: Services, message_id: str = "m-1") -> State | None:
    return services.ledger.states([message_id])[0]


def sweep_until_admitted(services: Services, message_id: str = "m-1") -> None:
    def look() -> bool:
        reconciler.sweep(services)
        return state(services, message_id) is not None

    wait_for(look)


def admit(services: Services) -> None:
    now = time.time()
    event = Event("m-1", CODE, PROJECT_ID, "u", True, {}, now)
    services.ledger.admit(event, now + 60, now + 48)
    services.ledger.save_plan("m-1", 1, plan_of("downstream-impact"), None, {})


def test_an_operation_that_waits_unknown_goes_through_intake_when_it_is_seen_again(
    services: Services, emulator: Emulator
) -> None:
    emulator.start_process("m-1", CODE)
    reconciler.sweep(services)
    assert state(services) is None, "its event may be on its way"

    sweep_until_admitted(services)
    record = services.ledger.get("m-1")
    assert record
    assert record.event.recovered
    assert record.event.event_code == CODE
    assert record.plan


def test_what_waits_where_the_extension_is_not_enabled_is_left_alone(
    services: Services, emulator: Emulator
) -> None:
    emulator.start_process("theirs", CODE, project_id=4711)
    emulator.start_process("m-1", CODE)
    sweep_until_admitted(services)
    assert state(services, "theirs") is None
    assert emulator.verdicts("theirs") == []


def test_an_event_under_way_is_left_to_its_workers(services: Services, emulator: Emulator) -> None:
    admit(services)
    emulator.start_process("m-1", CODE)
    emulator.start_process("m-2", CODE)
    sweep_until_admitted(services, "m-2")
    assert state(services) is State.CHECKING
    assert emulator.verdicts("m-1") == []


def test_a_dead_event_that_still_waits_is_answered_with_what_is_there(
    services: Services, emulator: Emulator
) -> None:
    admit(services)
    services.ledger.mark_dead("m-1", "for the test")
    emulator.start_process("m-1", CODE)

    def look() -> bool:
        reconciler.sweep(services)
        return state(services) is State.REPORTED

    wait_for(look)
    assert len(emulator.verdicts("m-1")) == 1


def test_it_sweeps_until_it_is_stopped(services: Services, emulator: Emulator) -> None:
    emulator.start_process("m-1", CODE)
    stop = threading.Event()
    thread = threading.Thread(target=reconciler.run, args=(services, stop))
    thread.start()
    try:
        wait_for(lambda: state(services) is not None, 40)
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
