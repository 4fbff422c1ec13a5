"""Verdicts that wait, on a real Valkey: the nearest deadline first, whoever comes; none lost, none twice."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from celery import Celery

from common.events import Event
from tests.emulators import PROJECT_ID, Emulator
from tests.fleet import wait_for
from workers import reporter
from workers.dispatch import Dispatch
from workers.reporter import LEASE_SECONDS
from workers.services import Services
from workers.settings import WorkerSettings
from workers.turns import Turn

PLAN = {"checks": [], "verdict": "OK", "language": "en", "policy": "p"}
FAULTY = "UpdateWorkbenchEventResult"


@pytest.fixture
def services(worker_settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    monkeypatch.setattr(Dispatch, "report", lambda *_: None)
    services = Services(worker_settings, Celery("test", set_as_current=False))
    yield services
    services.ledger.client.close()


def lined_up(services: Services, emulator: Emulator, message_id: str, seconds: float) -> Turn:
    """Return the turn of an event whose verdict waits, with so many seconds to its deadline."""
    now = time.time()
    emulator.start_process(message_id, "freeze-node")
    event = Event(message_id, "freeze-node", PROJECT_ID, "u", True, {"nodeIds": [1]}, now)
    _, record = services.ledger.admit(event, now + seconds, now + seconds)
    services.ledger.plan(message_id, 1, PLAN, None, {})
    turn = Turn(message_id, 1, record.deadline_at)
    reporter.line_up(services, turn)
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


def test_a_message_has_the_nearest_posted_first_and_leaves_nothing(
    services: Services, emulator: Emulator
) -> None:
    far, near, middle = (
        lined_up(services, emulator, name, seconds)
        for name, seconds in (("far", 90), ("near", 30), ("m i", 60))
    )
    assert reporter.take_turns(services, far) is None
    assert answered(emulator) == ["near", "m i", "far"]
    for turn in (far, near, middle):
        assert reporter.take_turns(services, turn) is None
    assert len(emulator.verdicts()) == 3
    assert left(services) == 0


def test_what_others_posted_meanwhile_is_skipped(services: Services, emulator: Emulator) -> None:
    lined_up(services, emulator, "near", 30)
    far = lined_up(services, emulator, "far", 90)
    assert reporter.report(services, "near", due=True) is None
    assert reporter.take_turns(services, far) is None
    assert answered(emulator) == ["near", "far"]
    assert left(services) == 0


def test_a_message_of_an_earlier_version_is_posted_too(services: Services, emulator: Emulator) -> None:
    turn = lined_up(services, emulator, "m-1", 30)
    services.ledger.client.delete(services.ledger.key("verdicts:waiting"))
    assert reporter.take_turns(services, turn) is None
    assert len(emulator.verdicts("m-1")) == 1


def test_a_turn_whose_taker_died_is_taken_when_its_lease_ends(services: Services, emulator: Emulator) -> None:
    near, far = (lined_up(services, emulator, name, seconds) for name, seconds in (("near", 30), ("far", 90)))
    assert services.turns.take(near, 0.2) == near
    assert services.turns.take(far, LEASE_SECONDS) == far
    services.turns.done(far)
    assert reporter.report(services, "far") is None

    assert services.turns.take(far, LEASE_SECONDS) is None
    for own, orphans in ((near, False), (far, True)):
        wait = services.turns.take(own, LEASE_SECONDS, orphans=orphans)
        assert isinstance(wait, float)
        assert 0 < wait <= 0.2
    wait_for(lambda: services.turns.take(far, LEASE_SECONDS) == near)


def test_after_a_fault_its_own_message_sees_to_it_later(services: Services, emulator: Emulator) -> None:
    near, far = (lined_up(services, emulator, name, seconds) for name, seconds in (("near", 30), ("far", 90)))
    emulator.fault(
        "error", action=FAULTY, message_id="near", times=1, status=500, code="InternalError.System"
    )
    later = reporter.take_turns(services, far)
    assert later
    assert later.turn == near
    assert later.fault
    assert reporter.take_turns(services, far) is None
    assert answered(emulator) == ["far"]

    assert reporter.take_turns(services, later.turn) is None
    assert answered(emulator) == ["far", "near"]


def test_what_another_reporter_is_at_is_waited_for(services: Services, emulator: Emulator) -> None:
    turn = lined_up(services, emulator, "m-1", 30)
    assert services.ledger.claim("m-1", "other", LEASE_SECONDS).record
    later = reporter.take_turns(services, turn)
    assert later
    assert later.turn == turn
    assert LEASE_SECONDS - 1 < later.seconds <= LEASE_SECONDS
    assert emulator.verdicts() == []
