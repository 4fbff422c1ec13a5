"""The last outcome and the watchdog's decision at the same moment: one verdict. Real Valkey, emulator."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from celery import Celery

from common.events import Event
from common.ledger import State
from common.verdicts import Outcome, OutcomeKind, Result
from tests.support.emulator_process import PROJECT_ID, Emulator
from tests.support.plans import plan_of
from workers import reporter
from workers.recovery import watchdog
from workers.services import Services
from workers.settings import WorkerSettings

ROUNDS = 40
WINDOW_SECONDS = 0.03
PASSED = Outcome(OutcomeKind.PASSED)


@pytest.fixture
def services(worker_settings: WorkerSettings) -> Iterator[Services]:
    services = Services(worker_settings, Celery("test", set_as_current=False))
    services.dataworks.warm_up()
    yield services
    services.ledger.client.close()


def test_an_outcome_at_the_moment_of_the_decision_gives_one_verdict(
    services: Services, emulator: Emulator
) -> None:
    draw = random.Random(17)  # noqa: S311
    results = set()
    with ThreadPoolExecutor(2) as pool:
        for number in range(ROUNDS):
            message_id = f"m-{number}"
            admit(services, emulator, message_id)
            # The order in which the threads run decides; both orders occur.
            pauses = draw.uniform(0, WINDOW_SECONDS), draw.uniform(0, WINDOW_SECONDS)
            complete = pool.submit(finish, services, message_id, pauses[0])
            decide = pool.submit(watch, services, message_id, pauses[1])
            complete.result()
            decide.result()
            settle(services, message_id)
            [post] = [post for post in emulator.verdicts(message_id) if post["status"] == "first"]
            record = services.ledger.get(message_id)
            assert record
            assert record.verdict
            assert record.verdict.result == post["result"]
            assert len(emulator.verdicts(message_id)) == 1
            results.add(post["result"])
    assert results == {Result.FAIL, Result.OK}, "both sides of the race were seen"


def admit(services: Services, emulator: Emulator, message_id: str) -> None:
    """Admit and plan an event with one check, whose absence counts as FAIL."""
    emulator.start_process(message_id, "freeze-node")
    now = time.time()
    event = Event(message_id, "freeze-node", PROJECT_ID, "u", True, {"nodeIds": [1]}, now)
    services.ledger.admit(event, now + 30, now + 15)
    assert services.ledger.save_plan(message_id, 1, plan_of("downstream-impact"), None, {})


def finish(services: Services, message_id: str, pause: float) -> None:
    """Record the last outcome, which passes, and post the verdict."""
    time.sleep(pause)
    if services.ledger.record_outcomes(message_id, 1, {"downstream-impact": PASSED}).is_complete:
        reporter.post_pending(services, f"reporter-{message_id}")


def watch(services: Services, message_id: str, pause: float) -> None:
    """Decide the event as at its deadline."""
    time.sleep(pause)
    watchdog.handle_due(services, message_id)


def settle(services: Services, message_id: str) -> None:
    """Post what either of the two left to the other."""
    if services.ledger.states([message_id]) != [State.REPORTED]:
        reporter.decide_and_post(services, message_id, due=True, takeover_after=0.0)
