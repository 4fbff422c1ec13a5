"""The report queue on a real Valkey: earliest deadline first, none lost, none posted twice."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from celery import Celery

from common.events import Event
from common.ledger import EventRecord, LeaseRequest, PendingReport, ReportLease, State
from common.ledger.report_queue import MAX_IDLE, MAX_TOKENS
from tests.support.emulator_process import PROJECT_ID, Emulator
from tests.support.plans import plan_of
from tests.support.running_dwgate import wait_for
from workers import reporter
from workers.reporter import LEASE_SECONDS, REPORT_LEASE_SECONDS
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
    """Post the waiting reports as tokens do, in several threads."""
    stop = threading.Event()

    def serve() -> None:
        while not stop.wait(0.05):
            reporter.post_pending(services, uuid.uuid4().hex)

    pool = [threading.Thread(target=serve) for _ in range(threads)]
    for thread in pool:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in pool:
            thread.join(20)
            assert not thread.is_alive()


def complete(services: Services, emulator: Emulator, message_id: str, seconds: float) -> PendingReport:
    """Return the report of an event whose outcomes are in, `seconds` before its deadline."""
    now = time.time()
    emulator.start_process(message_id, "freeze-node")
    event = Event(message_id, "freeze-node", PROJECT_ID, "u", True, {"nodeIds": [1]}, now)
    _, record = services.ledger.admit(event, now + seconds, now + seconds)
    services.ledger.save_plan(message_id, 1, PLAN, None, {})
    return PendingReport(message_id, 1, record.deadline_at)


def enqueued(services: Services, emulator: Emulator, message_id: str, seconds: float) -> PendingReport:
    report = complete(services, emulator, message_id, seconds)
    assert services.ledger.record_outcomes(message_id, 1, {}).is_complete
    return report


def lease(services: Services, owner: str = "other", **options: Any) -> PendingReport | None:
    return services.ledger.reports.lease(owner, REPORT_LEASE_SECONDS, **options)


def lease_event(services: Services, message_id: str) -> ReportLease:
    return services.ledger.acquire_report_lease(message_id, "this", LEASE_SECONDS)


def left(services: Services) -> int:
    """Return the number of entries of reports in the queue, leases included."""
    key, client = services.ledger.key, services.ledger.client
    entries = sum(int(client.zcard(key(f"reports:{name}"))) for name in ("waiting", "leased"))
    return entries + int(client.hlen(key("reports:leases")))


def answered(emulator: Emulator) -> list[str]:
    """Return the events whose verdict was accepted, in order."""
    posts = sorted(emulator.verdicts(), key=lambda post: post["at"])
    return [post["message_id"] for post in posts if post["status"] == "first"]


def test_the_earliest_deadline_is_posted_first_and_nothing_is_left(
    services: Services, emulator: Emulator
) -> None:
    for name, seconds in (("far", 90), ("near", 30), ("m i", 60)):
        enqueued(services, emulator, name, seconds)
    assert not reporter.post_pending(services, "token")
    assert answered(emulator) == ["near", "m i", "far"]
    assert services.ledger.counts()[State.REPORTED] == 3
    assert not left(services)


def test_several_are_posted_concurrently_each_once(services: Services, emulator: Emulator) -> None:
    for number in range(40):
        enqueued(services, emulator, f"m-{number}", 30 + number)
    with reporters(services, 8):
        wait_for(lambda: not left(services))
    assert sorted(answered(emulator)) == sorted(f"m-{number}" for number in range(40))
    assert len(emulator.verdicts()) == 40


def test_a_token_that_finds_nothing_does_nothing(services: Services, emulator: Emulator) -> None:
    assert not reporter.post_pending(services, "token")
    assert not left(services)
    assert emulator.verdicts() == []


def test_a_token_that_has_served_long_enough_leaves_the_rest_to_another(
    services: Services, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporter, "SERVE_SECONDS", 0.0)
    enqueued(services, emulator, "near", 30)
    enqueued(services, emulator, "far", 90)
    assert reporter.post_pending(services, "token")
    assert answered(emulator) == ["near"]


def test_a_report_that_others_posted_is_removed_from_the_queue(
    services: Services, emulator: Emulator
) -> None:
    enqueued(services, emulator, "near", 30)
    enqueued(services, emulator, "far", 90)
    assert reporter.decide_and_post(services, "near", due=True).is_reported
    assert lease(services) == PendingReport("far", 1, record(services, "far").deadline_at)


@pytest.mark.parametrize("end", ["dead", "ignored", "requeued"])
def test_a_dead_or_ignored_event_is_removed_from_the_queue(
    services: Services, emulator: Emulator, end: str
) -> None:
    enqueued(services, emulator, "m-1", 30)
    if end == "ignored":
        assert services.ledger.mark_ignored("m-1", "for the test")
    else:
        assert services.ledger.mark_dead("m-1", "for the test")
    if end == "requeued":
        now = time.time()
        assert services.ledger.reopen("m-1", now + 60, now + 50, actor="me@host", reason="again") == 2
    assert not left(services)
    assert services.ledger.enqueue_report("m-1", 1) is None
    assert not left(services)


def test_enqueueing_again_changes_nothing(services: Services, emulator: Emulator) -> None:
    report = enqueued(services, emulator, "m-1", 30)
    assert services.ledger.enqueue_report("m-1", 1) == 1
    assert lease(services) == report
    assert services.ledger.record_outcomes("m-1", 1, {}).waiting == 0
    assert services.ledger.enqueue_report("m-1", 1) == 0
    assert lease(services) is None


def test_a_lease_that_ends_makes_the_report_available(services: Services, emulator: Emulator) -> None:
    near, far = (enqueued(services, emulator, name, seconds) for name, seconds in (("near", 30), ("far", 90)))
    assert services.ledger.reports.lease("killed", 0.2) == near
    assert lease(services) == far
    assert wait_for(lambda: lease(services)) == replace(near, attempts=2)
    assert lease(services) is None
    services.ledger.reports.remove(near)
    services.ledger.reports.remove(far)
    assert left(services) == 0


def test_a_redelivered_token_takes_over_the_report_of_its_first_delivery(
    services: Services, emulator: Emulator
) -> None:
    far = enqueued(services, emulator, "far", 90)
    assert lease(services, "killed") == far
    assert services.ledger.acquire_report_lease("far", "killed", LEASE_SECONDS).record
    enqueued(services, emulator, "near", 30)
    reporter.post_pending(services, "killed", is_redelivery=True)
    assert answered(emulator) == ["far", "near"]
    assert not left(services)


def test_a_redelivered_token_takes_nothing_from_others(services: Services, emulator: Emulator) -> None:
    enqueued(services, emulator, "m-1", 30)
    assert lease(services, "other")
    assert lease(services, "killed", is_redelivery=True) is None


def test_after_a_failure_it_is_retried_and_delays_no_other(services: Services, emulator: Emulator) -> None:
    enqueued(services, emulator, "near", 30)
    enqueued(services, emulator, "far", 90)
    emulator.fault(
        "error", action=FAULTY, message_id="near", times=1, status=500, code="InternalError.System"
    )
    with reporters(services):
        wait_for(lambda: len(answered(emulator)) == 2)
        wait_for(lambda: not left(services))
    assert answered(emulator) == ["far", "near"]


def test_a_report_that_is_retried_counts_its_attempts(services: Services, emulator: Emulator) -> None:
    report = enqueued(services, emulator, "m-1", 30)
    assert lease(services) == report
    services.ledger.reports.retry_later(report, 0.2)
    assert lease(services) is None
    assert wait_for(lambda: lease(services)) == replace(report, attempts=2)


def test_a_retry_does_not_bring_back_what_left_the_queue(services: Services, emulator: Emulator) -> None:
    report = enqueued(services, emulator, "m-1", 30)
    assert lease(services) == report
    assert reporter.decide_and_post(services, "m-1", due=True).is_reported
    services.ledger.reports.retry_later(report, 0)
    assert not left(services)


def test_an_event_leased_by_another_reporter_is_retried_later(services: Services, emulator: Emulator) -> None:
    report = enqueued(services, emulator, "m-1", 30)
    assert services.ledger.acquire_report_lease("m-1", "other", LEASE_SECONDS).record
    assert lease(services) == report
    reporter.post_leased(services, report, lease_event(services, "m-1"))
    assert emulator.verdicts() == []
    assert lease(services) is None
    assert left(services)


def test_a_failure_too_near_to_the_deadline_is_left_to_the_watchdog(
    services: Services, emulator: Emulator
) -> None:
    report = enqueued(services, emulator, "m-1", 2)
    emulator.fault("error", action=FAULTY, times=None, status=500, code="InternalError.System")
    assert lease(services) == report
    reporter.post_leased(services, replace(report, attempts=6), lease_event(services, "m-1"))
    assert services.ledger.states(["m-1"]) == [State.DECIDED]
    assert not left(services)


def idle(services: Services, owner: str, seconds: float) -> int:
    """Look for a report that is not there, and return the number of idle reporters; 0 if not idle."""
    request = LeaseRequest(f"{owner}-attempt", LEASE_SECONDS, REPORT_LEASE_SECONDS)
    report, lease, count = services.ledger.lease_report(owner, request, idle_seconds=seconds)
    assert (report, lease) == (None, None)
    return count


def test_each_idle_reporter_takes_one_report_without_a_token(services: Services, emulator: Emulator) -> None:
    for name, seconds in (("m-1", 30), ("m-2", 40), ("m-3", 50)):
        complete(services, emulator, name, seconds)
    assert idle(services, "first", 60) == 1
    assert idle(services, "second", 60) == 2
    assert services.ledger.record_outcomes("m-1", 1, {}).waiting == 0
    assert services.ledger.record_outcomes("m-2", 1, {}).waiting == 0
    assert lease(services, "first")
    assert services.ledger.record_outcomes("m-3", 1, {}).waiting == 1, "one of them is busy"


def test_the_number_of_idle_reporters_is_limited(services: Services) -> None:
    counts = [idle(services, f"owner-{number}", 60) for number in range(MAX_IDLE + 2)]
    assert counts == [*range(1, MAX_IDLE + 1), 0, 0]


def test_a_reporter_that_does_not_call_again_in_time_is_not_idle(
    services: Services, emulator: Emulator
) -> None:
    assert idle(services, "killed", 0.05)
    assert enqueued(services, emulator, "m-1", 30)
    wait_for(lambda: services.ledger.enqueue_report("m-1", 1) == 1)


def test_a_reporter_that_has_posted_waits_a_moment_for_the_next_report(
    services: Services, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporter, "IDLE_SECONDS", 60.0)
    monkeypatch.setattr(reporter, "SERVE_SECONDS", 60.0)
    complete(services, emulator, "m-2", 40)
    enqueued(services, emulator, "m-1", 30)
    token = threading.Thread(target=reporter.post_pending, args=(services, "token"), daemon=True)
    token.start()
    wait_for(lambda: answered(emulator) == ["m-1"])
    wait_for(lambda: services.ledger.client.zcard(services.ledger.key("reports:idle")))
    services.ledger.record_outcomes("m-2", 1, {})
    wait_for(lambda: answered(emulator) == ["m-1", "m-2"])
    monkeypatch.setattr(reporter, "IDLE_SECONDS", 0.0)
    complete(services, emulator, "m-3", 40)
    services.ledger.record_outcomes("m-3", 1, {})
    token.join(20)
    assert not token.is_alive()


def test_tokens_that_were_lost_are_issued_again_once(services: Services, emulator: Emulator) -> None:
    def needed(idle: float = 0.2, again: float = 60) -> int:
        return services.ledger.reports.backlog(idle_seconds=idle, issue_seconds=again).tokens_needed

    for number in range(MAX_TOKENS + 2):
        enqueued(services, emulator, f"m-{number}", 30 + number)
    backlog = services.ledger.reports.backlog(idle_seconds=0.2, issue_seconds=60)
    assert backlog == (MAX_TOKENS + 2, 0)
    assert wait_for(needed) == MAX_TOKENS
    assert needed() == 0
    assert needed(again=0) == MAX_TOKENS

    assert lease(services)  # a reporter is running: it processes them all
    assert needed(again=0) == 0
    wait_for(needed)


def test_a_report_whose_lease_ended_needs_a_token(services: Services, emulator: Emulator) -> None:
    enqueued(services, emulator, "m-1", 30)
    assert services.ledger.reports.lease("killed", 0.2)
    backlog = wait_for(
        lambda: (
            (found := services.ledger.reports.backlog(idle_seconds=0.1, issue_seconds=60)).tokens_needed
            and found
        )
    )
    assert backlog == (0, 1)


def record(services: Services, message_id: str) -> EventRecord:
    found = services.ledger.get(message_id)
    assert found
    return found
