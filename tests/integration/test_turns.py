"""Verdicts that wait, on a real Valkey: the nearest deadline first, whoever comes; none lost, none twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from celery import Celery

from common.events import Event
from common.ledger import State, Turn
from tests.emulators import PROJECT_ID, Emulator
from tests.fleet import wait_for
from tests.plans import plan_of
from workers import reporter
from workers.reporter import LEASE_SECONDS
from workers.services import Services
from workers.settings import WorkerSettings

PLAN = plan_of()
FAULTY = "UpdateWorkbenchEventResult"


@pytest.fixture
def services(worker_settings: WorkerSettings) -> Iterator[Services]:
    services = Services(worker_settings, Celery("test", set_as_current=False))
    yield services
    services.ledger.client.close()


@contextmanager
def reporters(services: Services, threads: int = 1) -> Iterator[None]:
    """Have verdicts posted, one after the other."""
    stop = threading.Event()
    thread = threading.Thread(target=reporter.run, args=(services, stop, threads))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def complete(services: Services, emulator: Emulator, message_id: str, seconds: float) -> Turn:
    """Return the turn of an event whose outcomes are in, with so many seconds to its deadline."""
    now = time.time()
    emulator.start_process(message_id, "freeze-node")
    event = Event(message_id, "freeze-node", PROJECT_ID, "u", True, {"nodeIds": [1]}, now)
    _, record = services.ledger.admit(event, now + seconds, now + seconds)
    services.ledger.plan(message_id, 1, PLAN, None, {})
    return Turn(message_id, 1, record.deadline_at)


def lined_up(services: Services, emulator: Emulator, message_id: str, seconds: float) -> Turn:
    turn = complete(services, emulator, message_id, seconds)
    services.ledger.turns.wait(turn)
    return turn


def left(services: Services) -> int:
    return sum(
        int(services.ledger.client.zcard(services.ledger.key(f"verdicts:{name}")))
        for name in ("waiting", "taken")
    )


def answered(emulator: Emulator) -> list[str]:
    """Return the events whose verdict was taken, in order."""
    posts = sorted(emulator.verdicts(), key=lambda post: post["at"])
    return [post["message_id"] for post in posts if post["fate"] == "first"]


def test_the_nearest_is_posted_first_and_nothing_is_left(services: Services, emulator: Emulator) -> None:
    for name, seconds in (("far", 90), ("near", 30), ("m i", 60)):
        lined_up(services, emulator, name, seconds)
    with reporters(services):
        wait_for(lambda: not left(services))
    assert answered(emulator) == ["near", "m i", "far"]
    assert services.ledger.counts()[State.REPORTED] == 3


def test_several_are_posted_at_once_each_once(services: Services, emulator: Emulator) -> None:
    for number in range(40):
        lined_up(services, emulator, f"m-{number}", 30 + number)
    with reporters(services, 4), reporters(services, 4):
        wait_for(lambda: not left(services))
    assert sorted(answered(emulator)) == sorted(f"m-{number}" for number in range(40))
    assert len(emulator.verdicts()) == 40


def test_who_has_nothing_to_do_is_called(
    services: Services, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporter, "LISTEN_SECONDS", 4.0)  # below the client's own limit
    with reporters(services):
        wait_for(lambda: services.ledger.client.info("clients")["blocked_clients"])
        began = time.monotonic()
        lined_up(services, emulator, "m-1", 30)
        wait_for(lambda: answered(emulator), 3)
        assert time.monotonic() - began < 3


def test_what_others_posted_meanwhile_is_skipped(services: Services, emulator: Emulator) -> None:
    lined_up(services, emulator, "near", 30)
    lined_up(services, emulator, "far", 90)
    assert reporter.report(services, "near", due=True) is None
    with reporters(services):
        wait_for(lambda: not left(services))
    assert answered(emulator) == ["near", "far"]


def test_a_turn_whose_taker_died_is_taken_when_its_lease_ends(services: Services, emulator: Emulator) -> None:
    near, far = (lined_up(services, emulator, name, seconds) for name, seconds in (("near", 30), ("far", 90)))
    assert services.ledger.turns.take(1, 0.2).turns == [near]
    assert services.ledger.turns.take(5, LEASE_SECONDS).turns == [far]
    wait_for(lambda: services.ledger.turns.take(5, LEASE_SECONDS).turns == [near])
    assert services.ledger.turns.take(5, LEASE_SECONDS).turns == []
    assert services.ledger.turns.take(0, LEASE_SECONDS, [near, far]).turns == []
    assert left(services) == 0


def test_after_a_fault_it_is_tried_again_and_holds_up_nobody(
    services: Services, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporter, "LISTEN_SECONDS", 0.1)
    lined_up(services, emulator, "near", 30)
    lined_up(services, emulator, "far", 90)
    emulator.fault(
        "error", action=FAULTY, message_id="near", times=1, status=500, code="InternalError.System"
    )
    with reporters(services):
        wait_for(lambda: len(answered(emulator)) == 2)
        wait_for(lambda: not left(services))
    assert answered(emulator) == ["far", "near"]


def test_a_turn_that_is_put_off_counts_its_tries(services: Services, emulator: Emulator) -> None:
    turn = lined_up(services, emulator, "m-1", 30)
    assert services.ledger.turns.take(1, LEASE_SECONDS).turns == [turn]
    services.ledger.turns.put_off(turn, 0)
    wait_for(lambda: services.ledger.turns.take(1, LEASE_SECONDS).turns == [replace(turn, tries=1)])
    assert left(services) == 1


def test_what_another_reporter_is_at_is_put_off(services: Services, emulator: Emulator) -> None:
    turn = lined_up(services, emulator, "m-1", 30)
    assert services.ledger.claim("m-1", "other", LEASE_SECONDS).record
    [taken] = services.ledger.turns.take(1, LEASE_SECONDS).turns
    assert taken == turn
    assert not reporter.post(services, turn)
    assert emulator.verdicts() == []
    assert services.ledger.turns.take(1, LEASE_SECONDS).turns == []
    assert left(services) == 1


def test_a_fault_too_near_to_the_deadline_is_left_to_the_watchdog(
    services: Services, emulator: Emulator
) -> None:
    turn = complete(services, emulator, "m-1", 2)
    emulator.fault("error", action=FAULTY, times=None, status=500, code="InternalError.System")
    assert reporter.post(services, replace(turn, tries=5))
    assert services.ledger.state(["m-1"]) == [State.DECIDED]
