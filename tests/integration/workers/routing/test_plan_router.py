"""Intake under load, on a real Valkey: events that had to wait are planned by their deadline."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from common.events import Event
from common.ledger import EventRecord, State
from common.topology import QueueName
from tests.conftest import built_in_policy
from tests.support.emulator_process import PROJECT_ID, Emulator
from tests.support.running_dwgate import SAMPLES
from workers import intake
from workers.celery_app import create_app
from workers.routing import plan_router
from workers.routing.plan_router import LAG_SECONDS, MAX_TOKENS
from workers.services import Services
from workers.settings import WorkerSettings

PATIENT, URGENT = SAMPLES["freeze-node-good"], SAMPLES["unfreeze-node-good"]


@pytest.fixture
def services(worker_settings: WorkerSettings, tmp_path: Path) -> Iterator[Services]:
    policy = tmp_path / "policy.yaml"
    policy.write_text(built_in_policy().replace("unfreeze-node: {", "unfreeze-node: {deadline: 40, "))
    settings = worker_settings.model_copy(update={"policy_file": policy})
    app = create_app(settings)
    services = Services(settings, app, is_io_pool=True)
    yield services
    app.close()
    services.ledger.client.close()


def event(emulator: Emulator, name: str, *, is_urgent: bool = False, age: float = 10.0) -> Event:
    sample = URGENT if is_urgent else PATIENT
    emulator.start_process(name, sample.event_code, snapshot=sample.snapshot)
    return Event(name, sample.event_code, PROJECT_ID, None, True, sample.data, time.time() - age)


def tokens(services: Services) -> int:
    return int(services.ledger.client.llen(services.settings.topology[QueueName.INTAKE].name))


def serve(services: Services, owner: str = "token") -> list[str]:
    """Serve the plan queue; return the events in the order in which they were planned."""
    planned: list[str] = []
    services.plans.serve(lambda record, _: planned.append(record.event.message_id), owner)
    return planned


def test_events_that_did_not_wait_are_planned_at_once(services: Services, emulator: Emulator) -> None:
    intake.process_events(services, [event(emulator, "m-1", age=0.0)])
    assert services.ledger.states(["m-1"]) == [State.REPORTED]
    assert not services.ledger.plans.has_waiting()


def test_events_that_waited_are_planned_by_their_deadline(services: Services, emulator: Emulator) -> None:
    for number in range(6):
        sent = [
            event(emulator, f"m-{number}-{index}", is_urgent=number == 5, age=30 - number) for index in (0, 1)
        ]
        assert intake.process_events(services, sent) == ([], None)
    assert services.ledger.states(["m-0-0", "m-5-1"]) == [State.RECEIVED, State.RECEIVED]
    assert emulator.verdicts() == []
    assert tokens(services) == 12

    assert [name[:3] for name in serve(services)] == ["m-5"] * 2 + [
        f"m-{n}" for n in range(5) for _ in (0, 1)
    ]
    assert serve(services) == []


def test_a_long_backlog_needs_few_tokens(services: Services, emulator: Emulator) -> None:
    for number in range(3 * MAX_TOKENS):
        intake.process_events(services, [event(emulator, f"m-{number}")])
    assert MAX_TOKENS <= tokens(services) <= MAX_TOKENS + 2


def test_new_events_queue_up_behind_a_backlog(services: Services, emulator: Emulator) -> None:
    intake.process_events(services, [event(emulator, "m-1")])
    intake.process_events(services, [event(emulator, "m-2", is_urgent=True, age=0.0)])
    assert services.ledger.states(["m-2"]) == [State.RECEIVED]
    assert serve(services) == ["m-2", "m-1"]

    intake.process_events(services, [event(emulator, "m-3", age=0.0)])
    assert services.ledger.states(["m-3"]) == [State.REPORTED]


def test_a_token_plans_and_reports(services: Services, emulator: Emulator) -> None:
    intake.process_events(services, [event(emulator, "m-1")])
    assert not services.plans.serve(lambda record, _: intake.advance(services, record), "token")
    assert services.ledger.states(["m-1"]) == [State.REPORTED]
    [post] = emulator.verdicts("m-1")
    assert post["result"] == PATIENT.expected


def test_an_event_of_a_killed_process_is_planned_by_the_redelivered_token(
    services: Services, emulator: Emulator
) -> None:
    intake.process_events(services, [event(emulator, "m-1")])
    assert services.ledger.plans.lease("token", plan_router.LEASE_SECONDS)
    assert serve(services, "another") == []

    planned: list[str] = []

    def plan(record: EventRecord, is_takeover: bool) -> None:
        assert is_takeover
        planned.append(record.event.message_id)

    services.plans.serve(plan, "token", is_redelivery=True)
    assert planned == ["m-1"]


def test_a_transient_fault_delays_one_event_only(
    services: Services, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_router, "RETRY_SECONDS", 0.2)
    intake.process_events(services, [event(emulator, "m-1", age=20), event(emulator, "m-2")])
    seen: list[str] = []

    def plan(record: EventRecord, _: bool) -> None:
        seen.append(name := record.event.message_id)
        if seen == [name]:
            raise redis.TimeoutError

    while services.ledger.plans.backlog(idle_seconds=0, issue_seconds=0).tokens_needed or len(seen) < 3:
        services.plans.serve(plan, "token")
    assert seen == ["m-1", "m-2", "m-1"]


def test_the_lag_is_below_every_deadline() -> None:
    assert LAG_SECONDS < 5
