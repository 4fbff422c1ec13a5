"""How a verdict is posted exactly once. Real Valkey, and the emulator."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from common.events import Event
from common.ledger import State
from common.verdicts import Result
from tests.support.emulator_process import PROJECT_ID, Emulator
from tests.support.plans import plan_of
from workers import metrics, reporter
from workers.celery_app import create_app
from workers.dataworks.errors import ReplyLost
from workers.services import Services
from workers.settings import WorkerSettings

OPERATION = "UpdateWorkbenchEventResult"
PROCESSES = "ListCheckProcesses"


@pytest.fixture
def services(worker_settings: WorkerSettings) -> Iterator[Services]:
    app = create_app(worker_settings)
    services = Services(worker_settings, app)
    yield services
    app.close()
    services.ledger.client.close()


def planned(services: Services, emulator: Emulator, *checks: str, deadline: float = 60) -> None:
    """Begin an operation, and admit and plan its event."""
    emulator.start_process("m-1", "freeze-node")
    now = time.time()
    event = Event("m-1", "freeze-node", PROJECT_ID, "u", True, {"nodeIds": [1]}, now)
    services.ledger.admit(event, now + deadline, now + deadline)
    assert services.ledger.save_plan("m-1", 1, plan_of(*checks), None, {})


def state(services: Services) -> State | None:
    return services.ledger.states(["m-1"])[0]


def how(services: Services) -> str:
    """Return by which way it is known that DataWorks has the verdict."""
    record = services.ledger.get("m-1")
    assert record
    assert record.state is State.REPORTED
    return record.timeline[-1].detail


def test_a_verdict_whose_reply_is_lost_is_looked_for_and_not_posted_again(
    services: Services, emulator: Emulator
) -> None:
    planned(services, emulator)
    emulator.fault("lost", action=OPERATION)
    assert reporter.decide_and_post(services, "m-1").is_reported
    assert how(services) == "posted, reply lost"
    assert len(emulator.verdicts("m-1")) == 1


@pytest.mark.parametrize("status", [403, 500])
def test_when_nothing_is_known_of_a_lost_reply_the_next_attempt_asks_first(
    services: Services, emulator: Emulator, status: int
) -> None:
    planned(services, emulator)
    emulator.fault("lost", action=OPERATION)
    emulator.fault("error", action=PROCESSES, times=None, status=status, code="Forbidden.RAM")
    with pytest.raises(ReplyLost):
        reporter.decide_and_post(services, "m-1")
    assert state(services) is State.DECIDED

    emulator.clear_faults()
    assert reporter.decide_and_post(services, "m-1").is_reported
    assert how(services) == "already answered"
    assert len(emulator.verdicts("m-1")) == 1


def test_a_verdict_that_is_refused_since_there_is_one_counts_as_reported(
    services: Services, emulator: Emulator
) -> None:
    planned(services, emulator)
    emulator.set_profile("strict")
    record = services.ledger.get("m-1")
    assert record
    until = time.time() + 5
    services.dataworks.post_result(
        record.event.point.result_operation, "m-1", Result.OK, "tip", deadline=until, deadline_at=until
    )
    assert reporter.decide_and_post(services, "m-1").is_reported
    assert how(services) == "already answered"


def test_a_requeue_of_what_was_answered_posts_nothing(services: Services, emulator: Emulator) -> None:
    planned(services, emulator)
    assert reporter.decide_and_post(services, "m-1").is_reported
    assert (
        services.ledger.reopen("m-1", time.time() + 60, time.time() + 48, actor="me@host", reason="again")
        == 2
    )
    assert services.ledger.save_plan("m-1", 2, plan_of(), None, {})
    assert reporter.decide_and_post(services, "m-1").is_reported
    assert "not posted" in how(services)
    assert len(emulator.verdicts("m-1")) == 1


def test_an_event_that_is_not_complete_is_given_back(services: Services, emulator: Emulator) -> None:
    planned(services, emulator, "downstream-impact")
    attempt = reporter.decide_and_post(services, "m-1")
    assert attempt.is_done
    assert not attempt.is_reported
    assert services.ledger.acquire_report_lease("m-1", "next", 60).record


def test_what_fails_for_good_leaves_the_queue(services: Services, emulator: Emulator) -> None:
    planned(services, emulator)
    emulator.fault("error", action=OPERATION, times=None, status=403, code="Forbidden.RAM")
    assert services.ledger.record_outcomes("m-1", 1, {}).is_complete
    assert not reporter.post_pending(services, "test")
    assert state(services) is State.DECIDED
    assert services.ledger.client.zcard(services.ledger.key("reports:waiting")) == 0


def test_a_verdict_after_its_deadline_is_posted_and_counted(services: Services, emulator: Emulator) -> None:
    planned(services, emulator, deadline=-1)
    before = metrics.LATE.labels("freeze-node")._value.get()
    assert reporter.decide_and_post(services, "m-1").is_reported
    assert metrics.LATE.labels("freeze-node")._value.get() == before + 1
