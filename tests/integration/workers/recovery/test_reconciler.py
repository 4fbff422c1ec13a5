"""The reconciler on a real Valkey, against the emulator: whatever waits in DataWorks is answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from common.events import Event
from common.extension_points import POINTS
from common.ledger import State
from tests.support.emulator_process import PROJECT_ID, Emulator
from tests.support.plans import plan_of
from tests.support.running_dwgate import SAMPLES, wait_for
from workers import metrics
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


def sweep_and_look(services: Services) -> State | None:
    reconciler.sweep(services)
    return state(services)


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
    emulator.start_process("theirs", CODE, project_id=4711, extension="another")
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


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error", "status": 400, "code": "InvalidParameter.EventCode"},
        {"kind": "error", "status": 403, "code": "Forbidden.Access"},
        {"kind": "html"},
        {"kind": "hang", "seconds": 60},
    ],
    ids=lambda fault: f"{fault['kind']}-{fault.get('status', '')}",
)
def test_a_fault_at_one_extension_point_leaves_the_others_untouched(
    services: Services, emulator: Emulator, fault: dict[str, Any]
) -> None:
    """DataWorks may refuse extension points that it no longer offers, such as `review-file`."""
    first, last = POINTS[0].code, POINTS[-1].code
    emulator.fault(action="ListCheckProcesses", event_code=first, times=None, **fault)
    emulator.start_process("m-1", CODE)
    emulator.start_process("m-2", last, project_id=None)
    failed = metrics.SWEEPS_FAILED.labels(first)._value
    before = failed.get()
    stop = threading.Event()
    thread = threading.Thread(target=reconciler.run, args=(services, stop), daemon=True)
    thread.start()
    try:
        wait_for(lambda: state(services) and state(services, "m-2"), 60)
        if fault["kind"] == "error":
            wait_for(lambda: failed.get() > before)
    finally:
        stop.set()
        thread.join(20)


def test_an_operation_that_cannot_be_recovered_leaves_the_others_untouched(
    services: Services, emulator: Emulator
) -> None:
    now = time.time()
    services.ledger.admit(Event("broken", CODE, PROJECT_ID, "u", True, {}, now), now + 60, now + 48)
    services.ledger.client.hset(services.ledger.key("event:broken"), "event", "no json")
    for message_id in ("broken", "m-1", "m-2", "m-3"):
        emulator.start_process(message_id, CODE)
    for message_id in ("m-1", "m-2", "m-3"):
        sweep_until_admitted(services, message_id)


@pytest.mark.parametrize("code", ["Forbidden.Access", "InternalError.System"])
def test_a_dead_event_that_is_refused_again_is_still_among_the_dead(
    services: Services, emulator: Emulator, code: str
) -> None:
    admit(services)
    services.ledger.mark_dead("m-1", "for the test")
    status = 403 if code.startswith("Forbidden") else 500
    emulator.fault("error", action="UpdateWorkbenchEventResult", times=None, status=status, code=code)
    emulator.start_process("m-1", CODE)
    emulator.start_process("m-2", CODE)
    sweep_until_admitted(services, "m-2")
    wait_for(lambda: sweep_and_count_posts(services, emulator))
    assert state(services) is State.DEAD
    assert [record.event.message_id for record in services.ledger.find(states=[State.DEAD])] == ["m-1"]

    emulator.clear_faults()
    wait_for(lambda: sweep_and_look(services) is State.REPORTED)


def sweep_and_count_posts(services: Services, emulator: Emulator) -> int:
    """Sweep once; return how often a verdict was posted without effect."""
    reconciler.sweep(services)
    return len(emulator.verdicts("m-1"))


def test_an_ignored_event_that_dataworks_lists_as_waiting_is_judged(
    services: Services, emulator: Emulator
) -> None:
    now = time.time()
    event = Event("m-1", CODE, PROJECT_ID, "u", False, SAMPLES["freeze-node-good"].data, now)
    services.ledger.admit(event, now + 60, now + 48)
    services.ledger.mark_ignored("m-1", "notification: no operation waits for it")
    emulator.start_process("m-1", CODE)

    wait_for(lambda: sweep_and_look(services) is not State.IGNORED)
    record = services.ledger.get("m-1")
    assert record
    assert (record.run, bool(record.plan)) == (2, True)
    assert record.event.data == event.data
    [entry] = services.ledger.audit_trail.entries()
    assert (entry.action, entry.subject) == ("requeue", "m-1")
    assert entry.actor.startswith("reconciler@")


def test_an_ignored_event_that_waits_for_another_extension_stays_ignored(
    services: Services, emulator: Emulator
) -> None:
    now = time.time()
    services.ledger.admit(Event("m-1", CODE, 4711, "u", True, {}, now), now + 60, now + 48)
    services.ledger.mark_ignored("m-1", "the extension is not enabled")
    emulator.start_process("m-1", CODE, project_id=4711, extension="another")
    emulator.start_process("m-2", CODE)
    sweep_until_admitted(services, "m-2")
    assert state(services) is State.IGNORED


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
