"""How a verdict is posted exactly once. Real Valkey, and the emulator."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from common.events import Event
from common.extension_points import BY_CODE
from common.ledger import State
from common.signed_links import LinkCheck, verify
from common.verdicts import Reason, Result, Verdict
from tests.support.emulator_process import PROJECT_ID, Emulator
from tests.support.plans import plan_of
from tests.support.running_dwgate import wait_for
from workers import metrics, reporter
from workers.celery_app import create_app
from workers.dataworks.errors import DataWorksError, ReplyLost, Unreachable
from workers.services import Services, find_link_key
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


def planned(
    services: Services, emulator: Emulator, *checks: str, deadline: float = 60, arrived: float = 0
) -> None:
    """Begin an operation, and admit and plan its event, which arrived that many seconds ago."""
    emulator.start_process("m-1", "freeze-node")
    now = time.time() - arrived
    event = Event("m-1", "freeze-node", PROJECT_ID, "u", True, {"nodeIds": [1]}, now)
    services.ledger.admit(event, now + deadline, now + deadline)
    assert services.ledger.save_plan("m-1", 1, plan_of(*checks), None, {})


def decide_due(services: Services, message_id: str) -> reporter.Attempt:
    """Decide and post an event as the watchdog does near a long deadline."""
    seconds = reporter.MAX_TAKEOVER_SECONDS
    return reporter.decide_and_post(services, message_id, due=True, takeover_after=seconds)


def state(services: Services) -> State | None:
    return services.ledger.states(["m-1"])[0]


def how(services: Services) -> str:
    """Return by which way it is known that DataWorks has the verdict."""
    record = services.ledger.get("m-1")
    assert record
    assert record.state is State.REPORTED
    return record.timeline[-1].detail


@pytest.mark.parametrize(
    ("key", "event_days", "seconds"),
    [(None, 30, 7 * 86400), ("k" * 32, 0.5, 43200)],
    ids=["generated", "set"],
)
def test_the_link_in_a_tip_is_signed_for_this_event(
    worker_settings: WorkerSettings, emulator: Emulator, key: str | None, event_days: float, seconds: float
) -> None:
    link_key = SecretStr(key) if key else None
    details = {"details_url": "https://gate.example.com/events/{message_id}", "event_days": event_days}
    settings = worker_settings.model_copy(update={**details, "link_key": link_key})
    app = create_app(settings)
    services = Services(settings, app)
    planned(services, emulator)
    now = time.time()
    assert reporter.decide_and_post(services, "m-1").is_reported
    line = emulator.verdicts("m-1")[0]["tip"].splitlines()[-2]
    address, _, token = line.removeprefix("Details: ").partition("?t=")
    assert address == "https://gate.example.com/events/m-1"
    known = find_link_key(settings, services.ledger)
    assert known is not None
    assert verify(known, "m-1", token, now + seconds - 5) is LinkCheck.VALID
    assert verify(known, "m-1", token, now + seconds + 60) is LinkCheck.EXPIRED
    assert verify(known, "m-2", token, now) is LinkCheck.ALTERED
    app.close()
    services.ledger.client.close()


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


def requeue(services: Services) -> None:
    deadlines = time.time() + 60, time.time() + 48
    assert services.ledger.reopen("m-1", *deadlines, actor="me@host", reason="again") == 2
    assert services.ledger.save_plan("m-1", 2, plan_of(), None, {})


def samples(name: str) -> dict[str, float]:
    """Return the values of a metric, by its labels and the end of its name."""
    [family] = getattr(metrics, name).collect()
    return {
        f"{item.name} {item.labels}": item.value
        for item in family.samples
        if not item.name.endswith("_created")
    }


TIMED = ("VERDICTS", "REPORT_SECONDS", "LATE")


def test_a_rerun_of_what_was_answered_posts_nothing_and_counts_as_no_verdict(
    services: Services, emulator: Emulator
) -> None:
    planned(services, emulator)
    assert reporter.decide_and_post(services, "m-1").is_reported
    answered = services.ledger.get("m-1")
    assert answered
    before = {name: samples(name) for name in TIMED}
    same = metrics.RERUNS.labels("freeze-node", "OK", "OK")._value.get()
    requeue(services)
    assert reporter.decide_and_post(services, "m-1").is_reported
    record = services.ledger.get("m-1")
    assert record
    assert record.timeline[-1].detail == "OK, not posted: OK was already accepted"
    assert (record.reported_at, record.accepted_how) == (answered.reported_at, "posted")
    assert record.rerun_verdict
    assert not record.is_rerun_different
    assert len(emulator.verdicts("m-1")) == 1
    assert {name: samples(name) for name in TIMED} == before
    assert metrics.RERUNS.labels("freeze-node", "OK", "OK")._value.get() == same + 1
    assert [entry.action for entry in services.ledger.audit_trail.entries()] == ["requeue"]


def test_a_rerun_with_another_result_is_reported(services: Services, emulator: Emulator) -> None:
    planned(services, emulator)
    assert reporter.decide_and_post(services, "m-1").is_reported
    requeue(services)
    before = metrics.RERUNS.labels("freeze-node", "OK", "FAIL")._value.get()
    assert services.ledger.acquire_report_lease("m-1", "killed", 0.001).record
    other = Verdict(Result.FAIL, "the tip", Reason.COMPLETE, time.time())
    assert services.ledger.freeze_verdict("m-1", "killed", other)
    with capture_logs() as logs:
        assert wait_for(lambda: reporter.decide_and_post(services, "m-1").is_reported)

    record = services.ledger.get("m-1")
    assert record
    assert record.accepted_verdict
    assert record.accepted_verdict.result is Result.OK
    assert record.rerun_verdict == other
    assert record.timeline[-1].detail == "FAIL, not posted: OK was already accepted; the results differ"
    assert "rerun_differs" in [entry["event"] for entry in logs]
    assert metrics.RERUNS.labels("freeze-node", "OK", "FAIL")._value.get() == before + 1
    assert [entry.action for entry in services.ledger.audit_trail.entries()] == ["requeue", "rerun-differs"]
    assert len(emulator.verdicts("m-1")) == 1


def test_a_dead_event_that_is_requeued_counts_as_a_verdict_without_a_time(
    services: Services, emulator: Emulator
) -> None:
    planned(services, emulator, deadline=-1)
    services.ledger.mark_dead("m-1", "for the test")
    requeue(services)
    before = {name: samples(name) for name in TIMED}
    assert reporter.decide_and_post(services, "m-1").is_reported
    after = {name: samples(name) for name in TIMED}
    assert after["VERDICTS"] != before["VERDICTS"]
    assert (after["REPORT_SECONDS"], after["LATE"]) == (before["REPORT_SECONDS"], before["LATE"])


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


def lose_verdict(services: Services, emulator: Emulator) -> None:
    """Let DataWorks accept FAIL for the event, and Redis forget it 5 s ago."""
    planned(services, emulator, arrived=10)
    services.ledger.lease_due(1)
    history = services.ledger.key("history")
    services.ledger.client.hset(history, "began", round((time.time() - 5) * 1000))
    services.ledger.client.hset(history, "lost", 1)
    until = time.time() + 5
    services.dataworks.post_result(
        BY_CODE["freeze-node"].result_operation, "m-1", Result.FAIL, "tip", deadline=until, deadline_at=until
    )


def test_a_verdict_that_redis_has_lost_is_taken_from_dataworks(
    services: Services, emulator: Emulator
) -> None:
    lose_verdict(services, emulator)
    before = samples("VERDICTS")
    with capture_logs() as logs:
        assert decide_due(services, "m-1").is_reported
    assert how(services) == "already answered"
    record = services.ledger.get("m-1")
    assert record
    assert record.accepted_verdict
    assert (record.accepted_verdict.result, record.accepted_verdict.reason) == (Result.FAIL, Reason.EXTERNAL)
    assert len(emulator.verdicts("m-1")) == 1
    assert "answered_differently" in [entry["event"] for entry in logs]
    assert samples("VERDICTS") != before


@pytest.mark.parametrize("status", [403, 500])
def test_after_a_loss_nothing_is_posted_unless_dataworks_can_be_queried(
    services: Services, emulator: Emulator, status: int
) -> None:
    lose_verdict(services, emulator)
    emulator.fault("error", action=PROCESSES, times=None, status=status, code="Forbidden.RAM")
    for _ in range(2):
        with pytest.raises(DataWorksError):
            decide_due(services, "m-1")
    assert len(emulator.verdicts("m-1")) == 1
    record = services.ledger.get("m-1")
    assert record
    assert record.timeline[-1].detail.startswith(PROCESSES)

    emulator.clear_faults()
    assert decide_due(services, "m-1").is_reported
    assert how(services) == "already answered"


def test_after_a_loss_an_event_that_dataworks_does_not_list_is_not_answered(
    services: Services, emulator: Emulator
) -> None:
    lose_verdict(services, emulator)
    now = time.time()
    event = Event("m-2", "freeze-node", PROJECT_ID, "u", True, {"nodeIds": [1]}, now - 10)
    services.ledger.admit(event, now + 60, now + 60)
    with pytest.raises(Unreachable, match="NotListed"):
        decide_due(services, "m-2")
    assert emulator.verdicts("m-2") == []


def test_an_event_that_redis_loses_while_its_verdict_is_posted_is_recorded_as_answered(
    services: Services, emulator: Emulator
) -> None:
    planned(services, emulator)
    emulator.fault("hang", action=OPERATION, seconds=1)
    with ThreadPoolExecutor(1) as pool:
        attempt = pool.submit(reporter.decide_and_post, services, "m-1")
        assert emulator.wait_verdict("m-1", 10)
        services.ledger.client.flushdb()
        assert attempt.result(20).is_reported
    assert how(services) == "posted"
    assert len(emulator.verdicts("m-1")) == 1


def test_a_reporter_that_was_held_up_and_lost_its_lease_posts_nothing(
    services: Services, emulator: Emulator
) -> None:
    planned(services, emulator, arrived=1)  # so that DataWorks is queried first
    emulator.fault("hang", action=PROCESSES, seconds=1.5)
    with ThreadPoolExecutor(1) as pool:
        attempt = pool.submit(reporter.decide_and_post, services, "m-1")
        wait_for(lambda: state(services) is State.DECIDED)
        assert services.ledger.acquire_report_lease("m-1", "other", 60, patience=0).record
        assert attempt.result(20).busy_seconds
    assert emulator.verdicts("m-1") == []
