"""The watchdog on a real Valkey, against the emulator: every event is answered by its deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from celery import Celery

from common.events import Event
from common.ledger import State
from tests.support.emulator_process import PROJECT_ID, Emulator
from tests.support.plans import plan_of
from tests.support.running_dwgate import wait_for
from workers import metrics, reporter
from workers.recovery import watchdog
from workers.services import Services
from workers.settings import WorkerSettings

PLAN = plan_of()


@pytest.fixture
def services(worker_settings: WorkerSettings) -> Iterator[Services]:
    services = Services(worker_settings, Celery("test", set_as_current=False))
    services.dataworks.warm_up()
    yield services
    services.ledger.client.close()


def planned(
    services: Services, emulator: Emulator, deadline: float, watch: float, *, message_id: str = "m-1"
) -> float:
    """Admit and plan an event; return its deadline in seconds since the epoch."""
    now = time.time()
    emulator.start_process(message_id, "freeze-node")
    event = Event(message_id, "freeze-node", PROJECT_ID, "u", True, {"nodeIds": [1]}, now)
    services.ledger.admit(event, now + deadline, now + watch)
    services.ledger.save_plan(message_id, 1, PLAN, None, {})
    return now + deadline


def look(services: Services) -> bool:
    """Handle due events once; return whether the event is reported."""
    for message_id in services.ledger.lease_due(watchdog.LEASE_SECONDS).message_ids:
        watchdog.handle_due(services, message_id)
    return services.ledger.states(["m-1"]) == [State.REPORTED]


def test_a_reporter_that_died_with_the_lease_does_not_make_the_verdict_late(
    services: Services, emulator: Emulator
) -> None:
    deadline_at = planned(services, emulator, deadline=6, watch=2)
    assert services.ledger.acquire_report_lease("m-1", "killed", reporter.LEASE_SECONDS).record

    wait_for(lambda: look(services))
    [post] = emulator.verdicts("m-1")
    assert post["at"] < deadline_at


@pytest.mark.parametrize("margin", [2, 3, 15])
def test_a_watchdog_that_is_killed_does_not_make_the_verdict_late(
    services: Services, emulator: Emulator, margin: float
) -> None:
    """It had leased the event when it became due. Margins of deadlines of 8, 15 and 75 seconds."""
    deadline_at = planned(services, emulator, deadline=margin, watch=0)
    wait_for(lambda: services.ledger.lease_due(watchdog.LEASE_SECONDS).message_ids)
    assert services.ledger.acquire_report_lease("m-1", "killed", reporter.LEASE_SECONDS).record

    wait_for(lambda: look(services))
    [post] = emulator.verdicts("m-1")
    assert post["at"] < deadline_at


def test_a_post_that_is_refused_for_others_in_progress_is_tried_again_soon(
    worker_settings: WorkerSettings, emulator: Emulator
) -> None:
    """Of two threads only one may post; the other event does not wait for the end of its lease."""
    services = Services(worker_settings, Celery("test", set_as_current=False), threads=2)
    services.dataworks.warm_up()
    planned(services, emulator, deadline=30, watch=0)
    planned(services, emulator, deadline=30, watch=60, message_id="m-2")
    operation = "UpdateWorkbenchEventResult"
    emulator.fault("delay", action=operation, message_id="m-2", seconds=2)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(watchdog.handle_due, services, "m-2")
        wait_for(lambda: emulator.state()["calls"].get(operation))
        assert services.ledger.lease_due(20).message_ids == ["m-1"]
        watchdog.handle_due(services, "m-1")
        assert services.ledger.states(["m-1"]) == [State.CHECKING], "it costs no lease and no decision"
        assert wait_for(lambda: services.ledger.lease_due(20).message_ids, 5) == ["m-1"]
        slow.result()
    watchdog.handle_due(services, "m-1")
    assert services.ledger.states(["m-1", "m-2"]) == [State.REPORTED, State.REPORTED]
    services.ledger.client.close()


def test_what_the_dead_reporter_had_posted_is_not_posted_again(
    services: Services, emulator: Emulator
) -> None:
    planned(services, emulator, deadline=6, watch=0)
    assert services.ledger.acquire_report_lease("m-1", "killed", reporter.LEASE_SECONDS).record
    record = services.ledger.get("m-1")
    assert record
    frozen = services.ledger.freeze_verdict("m-1", "killed", reporter.decide(services, record))
    assert frozen
    services.dataworks.post_result(
        record.event.point.result_operation,
        "m-1",
        frozen.verdict.result,
        frozen.verdict.tip,
        deadline=time.time() + 5,
        deadline_at=record.deadline_at,
    )

    wait_for(lambda: look(services))
    assert len(emulator.verdicts("m-1")) == 1


def test_an_event_that_cannot_be_answered_by_its_deadline_is_dead(
    services: Services, emulator: Emulator
) -> None:
    planned(services, emulator, deadline=1, watch=0)
    emulator.fault("error", action="UpdateWorkbenchEventResult", times=None, status=403, code="Forbidden.RAM")
    wait_for(lambda: not look(services) and services.ledger.states(["m-1"]) == [State.DEAD])


@pytest.mark.parametrize("ended", [True, False])
def test_what_has_ended_or_is_unknown_is_watched_no_longer(services: Services, *, ended: bool) -> None:
    if ended:
        now = time.time()
        services.ledger.admit(Event("m-1", "freeze-node", PROJECT_ID, "u", True, {}, now), now, now)
        services.ledger.mark_ignored("m-1", "for the test")
    deadlines = services.ledger.key("deadlines")
    services.ledger.client.zadd(deadlines, {"m-1": 0})
    watchdog.handle_due(services, "m-1")
    assert services.ledger.client.zcard(deadlines) == 0


def test_what_was_answered_meanwhile_is_not_counted_among_the_dead(
    services: Services, emulator: Emulator
) -> None:
    planned(services, emulator, deadline=60, watch=48)
    record = services.ledger.get("m-1")
    assert record
    assert reporter.decide_and_post(services, "m-1").is_reported
    before = metrics.DEAD.labels("freeze-node")._value.get()
    watchdog.mark_dead(services, record, "for the test")
    assert metrics.DEAD.labels("freeze-node")._value.get() == before
    assert services.ledger.states(["m-1"]) == [State.REPORTED]


def test_one_event_that_cannot_be_looked_at_holds_up_no_other(services: Services, emulator: Emulator) -> None:
    now = time.time()
    services.ledger.admit(Event("broken", "freeze-node", PROJECT_ID, "u", True, {}, now), now, now)
    services.ledger.client.hset(services.ledger.key("event:broken"), "event", "no json")
    planned(services, emulator, deadline=6, watch=0)
    stop = threading.Event()
    thread = threading.Thread(target=watchdog.run, args=(services, stop))
    thread.start()
    try:
        wait_for(lambda: services.ledger.states(["m-1"]) == [State.REPORTED])
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    assert services.ledger.states(["broken"]) == [State.RECEIVED]
