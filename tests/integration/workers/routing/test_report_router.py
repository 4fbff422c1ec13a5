"""Whether verdicts are posted inline, by reporters or by the watchdog; real Valkey, and the emulator."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.events import Event
from common.ledger import State
from common.ledger.report_queue import MAX_TOKENS
from common.topology import QueueName
from tests.support.emulator_process import PROJECT_ID, Emulator
from tests.support.engines import free_port
from tests.support.plans import plan_of
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import wait_for
from workers.celery_app import create_app
from workers.recovery import report_recovery
from workers.routing import report_router
from workers.services import Services
from workers.settings import WorkerSettings

OPERATION = "UpdateWorkbenchEventResult"


class Load:
    """The number of running tasks of the process."""

    tasks = 0

    def busy(self) -> int:
        return self.tasks


@pytest.fixture
def load() -> Load:
    return Load()


@pytest.fixture
def services(worker_settings: WorkerSettings, load: Load) -> Iterator[Services]:
    app = create_app(worker_settings)
    services = Services(worker_settings, app, is_io_pool=True, busy=load.busy)
    yield services
    app.close()
    services.ledger.client.close()


def planned(services: Services, emulator: Emulator, message_id: str = "m-1") -> None:
    """Admit and plan an event without checks."""
    now = time.time()
    emulator.start_process(message_id, "freeze-node")
    event = Event(message_id, "freeze-node", PROJECT_ID, "u", True, {"nodeIds": [1]}, now)
    services.ledger.admit(event, now + 60, now + 48)
    services.ledger.save_plan(message_id, 1, plan_of(), None, {})


def tokens(services: Services) -> int:
    return int(services.ledger.client.llen(TOPOLOGY[QueueName.REPORTS].name))


def pending(services: Services) -> list[int]:
    """Return the numbers of waiting and of leased reports."""
    key = services.ledger.key
    return [int(services.ledger.client.zcard(key(f"reports:{name}"))) for name in ("waiting", "leased")]


@pytest.mark.parametrize("step", ["record", "finish"])
def test_an_idle_process_posts_inline_without_a_token(
    services: Services, emulator: Emulator, step: str
) -> None:
    planned(services, emulator)
    if step == "record":
        assert services.reports.record("m-1", 1, {}).is_complete
    else:
        services.reports.finish("m-1", 1)
    assert len(emulator.verdicts("m-1")) == 1
    assert tokens(services) == 0
    assert pending(services) == [0, 0]


@pytest.mark.parametrize("step", ["record", "finish"])
def test_a_busy_process_leaves_it_to_the_reporters(
    services: Services, emulator: Emulator, load: Load, step: str
) -> None:
    load.tasks = report_router.MAX_BUSY + 1
    planned(services, emulator)
    if step == "record":
        services.reports.record("m-1", 1, {})
    else:
        services.reports.finish("m-1", 1)
    assert emulator.verdicts() == []
    assert tokens(services) == 1
    assert pending(services) == [1, 0]


def test_a_process_that_computes_leaves_it_to_the_reporters(services: Services, emulator: Emulator) -> None:
    services.is_io_pool = False
    planned(services, emulator)
    services.reports.record("m-1", 1, {})
    assert tokens(services) == 1


def test_a_post_that_meets_a_fault_goes_to_the_reporters(services: Services, emulator: Emulator) -> None:
    emulator.fault("error", action=OPERATION, times=None, status=500, code="InternalError.System")
    planned(services, emulator)
    services.reports.record("m-1", 1, {})
    assert tokens(services) == 1
    assert pending(services) == [1, 0]


def test_after_throttling_a_process_does_not_try_for_a_while(
    services: Services, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_router, "THROTTLE_BACKOFF", 1.0)
    emulator.fault("throttle", action=OPERATION, times=None)
    planned(services, emulator)
    services.reports.record("m-1", 1, {})
    assert not services.reports.can_post_inline()
    wait_for(services.reports.can_post_inline)


def test_a_report_is_pending_while_it_is_posted_inline(services: Services, emulator: Emulator) -> None:
    emulator.fault("hang", action=OPERATION, times=1, seconds=1)
    planned(services, emulator)
    with ThreadPoolExecutor(1) as pool:
        posting = pool.submit(services.reports.record, "m-1", 1, {})
        wait_for(lambda: pending(services) == [0, 1])
        posting.result()


def test_a_long_backlog_gets_no_more_tokens(services: Services, emulator: Emulator, load: Load) -> None:
    load.tasks = report_router.MAX_BUSY + 1
    for number in range(MAX_TOKENS + 3):
        planned(services, emulator, f"m-{number}")
        services.reports.record(f"m-{number}", 1, {})
    assert tokens(services) == MAX_TOKENS
    assert pending(services)[0] == MAX_TOKENS + 3


def test_lost_tokens_are_issued_again(services: Services, emulator: Emulator, load: Load) -> None:
    load.tasks = report_router.MAX_BUSY + 1
    planned(services, emulator)
    services.reports.record("m-1", 1, {})
    services.ledger.client.delete(TOPOLOGY[QueueName.REPORTS].name)

    def look() -> int:
        with ThreadPoolExecutor(1) as pool:
            report_recovery.check_backlog(services, pool)
        return tokens(services)

    assert wait_for(look) == 1
    assert emulator.verdicts() == []


def test_without_the_broker_the_watchdog_posts(worker_settings: WorkerSettings, emulator: Emulator) -> None:
    away = worker_settings.model_copy(
        update={"broker_url": type(worker_settings.broker_url)(f"redis://127.0.0.1:{free_port()}/0")}
    )
    services = Services(away, create_app(away))
    planned(services, emulator)
    assert services.reports.record("m-1", 1, {}).is_complete

    def look() -> bool:
        with ThreadPoolExecutor(1) as pool:
            report_recovery.check_backlog(services, pool)
        return services.ledger.states(["m-1"]) == [State.REPORTED]

    wait_for(look)
    assert len(emulator.verdicts("m-1")) == 1
    services.ledger.client.close()
