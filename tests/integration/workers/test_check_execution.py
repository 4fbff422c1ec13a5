"""Checks of an event in one message: limits of the fast queue, and the way to the slow queue."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import orjson
import pytest

from common.events import Event
from common.ledger import EventRecord
from common.plan import Mode, Plan, PlannedCheck
from common.processes import time_limits
from common.processes.time_limits import GRACE_SECONDS, REVIEW_SECONDS, TimeLimitReached
from common.snapshot import FileSnapshot, Snapshot
from common.text.i18n import Language
from common.topology import Queue, QueueName
from common.verdicts import Finding, OutcomeKind, Reason, Result, Severity
from review.dialects import Dialect
from review.engine import review
from tests.support.emulator_process import PROJECT_ID, Emulator
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import SAMPLES
from workers import check_execution, cpu_checks, intake, reporter
from workers.broker import dispatch
from workers.celery_app import create_app
from workers.checks.api import Check, Context, Runs
from workers.checks.registry import CheckFunction
from workers.dataworks.errors import Unreachable
from workers.retry import MAX_ATTEMPTS
from workers.scheduling.budgets import BUDGET_SECONDS, SlowReason
from workers.services import Services
from workers.settings import WorkerSettings

FILE = SAMPLES["commit-file-good"]
COMPUTING = ("code-review", "change-impact", "declared-inputs")
NAMES = ("first", "second", "third")
CPU_QUEUE = TOPOLOGY[QueueName.CHECKS_CPU]


@pytest.fixture(autouse=True)
def busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a trial much real time, so that a busy machine does not end the process of the tests."""
    monkeypatch.setattr(time_limits, "TRIAL_SECONDS", 90.0)


@pytest.fixture(scope="module", autouse=True)
def warm_parser() -> None:
    """Build the parser's tables, as a worker does before it forks: a trial would pay for them."""
    review("SELECT 1", Dialect.MAXCOMPUTE)


@pytest.fixture
def services(worker_settings: WorkerSettings) -> Iterator[Services]:
    app = create_app(worker_settings)
    services = Services(worker_settings, app)
    yield services
    app.close()
    services.ledger.client.close()


def passes(_: Context) -> Iterable[Finding]:
    return [Finding("T-1", Severity.INFO, "seen")]


def takes_too_long(_: Context) -> Iterable[Finding]:
    yield Finding("T-2", Severity.WARN, "seen before")
    raise TimeLimitReached


def meets_a_fault(_: Context) -> Iterable[Finding]:
    raise Unreachable("GetNode", "InternalError", "for the test")


def planned(
    services: Services,
    second: CheckFunction,
    snapshot: Mapping[str, Any] | None = None,
    *,
    message_id: str = "m-1",
    project_id: int = PROJECT_ID,
) -> None:
    """Plan an event with three checks, the second of which is `second`."""
    functions = {"first": passes, "second": second, "third": passes}
    services.checks = {name: Check(name, frozenset(), Runs.CPU, functions[name]) for name in NAMES}
    now = time.time()
    event = Event(message_id, "freeze-node", project_id, "u", True, {"nodeIds": [1]}, now)
    services.ledger.admit(event, now + 60, now + 48)
    checks = tuple(PlannedCheck(name, Mode.ENFORCE, Result.WARN, Result.WARN, {}) for name in NAMES)
    plan = Plan(checks, Result.OK, Language.ENGLISH, "p")
    assert services.ledger.save_plan(message_id, 1, plan, snapshot, {})


def sent(services: Services, queue: Queue = CPU_QUEUE) -> list[tuple[list[str], float]]:
    """Return a queue's messages, oldest first: the checks and the message's time limit in seconds."""
    found = []
    for raw in reversed(services.ledger.client.lrange(queue.name, 0, -1)):
        message = orjson.loads(raw)
        _, arguments, _ = orjson.loads(base64.b64decode(message["body"]))
        found.append((arguments["checks"], message["headers"]["timelimit"][0]))
    return found


def queued_tokens(services: Services) -> int:
    """Return the number of published tokens."""
    return int(services.ledger.client.llen(TOPOLOGY[QueueName.REPORTS].name))


def computes(_: Context) -> Iterable[Finding]:
    """Compute until the limit is reached."""
    while True:
        pass


def run(services: Services, *names: str, is_redelivery: bool = False) -> None:
    cpu_checks.execute_fast(services, "m-1", 1, names, time.time() + 40, is_redelivery=is_redelivery)


def run_slow(services: Services, *names: str, is_redelivery: bool = False) -> None:
    """Run the next message of the slow queue, which has these checks."""
    raw = services.ledger.client.rpop(TOPOLOGY[QueueName.CHECKS_SLOW].name)
    assert isinstance(raw, bytes)
    _, arguments, _ = orjson.loads(base64.b64decode(orjson.loads(raw)["body"]))
    assert arguments["checks"] == [*names]
    cpu_checks.execute_slow(
        services,
        "m-1",
        arguments["run"],
        names,
        arguments["until"],
        arguments["workspace"],
        is_redelivery=is_redelivery,
    )


def slow(services: Services) -> list[list[str]]:
    """Return the checks of each message that is in the slow queue."""
    return [checks for checks, _ in sent(services, TOPOLOGY[QueueName.CHECKS_SLOW])]


def record_of(services: Services, message_id: str = "m-1") -> EventRecord:
    record = services.ledger.get(message_id)
    assert record
    return record


def outcomes(services: Services) -> dict[str, OutcomeKind]:
    record = services.ledger.get("m-1")
    assert record
    return {name: outcome.kind for name, outcome in record.outcomes.items()}


def test_computing_checks_of_an_event_go_in_one_message(services: Services, emulator: Emulator) -> None:
    emulator.start_process("m-1", FILE.event_code, project_id=PROJECT_ID, snapshot=FILE.snapshot)
    event = Event("m-1", FILE.event_code, PROJECT_ID, None, True, FILE.data, time.time())
    assert intake.process_events(services, [event]) == ([], None)

    [(checks, seconds)] = sent(services)
    assert checks == [*COMPUTING]
    assert seconds == dispatch.MESSAGE_SECONDS
    assert [checks for checks, _ in sent(services, TOPOLOGY[QueueName.CHECKS_IO])] == [
        ["schedule-consistency"]
    ]

    run(services, *checks)
    assert outcomes(services).keys() == {"release-window", *COMPUTING}


def test_all_run_and_the_last_outcome_enqueues_the_verdict(services: Services) -> None:
    planned(services, passes)
    run(services, *NAMES)
    assert outcomes(services) == dict.fromkeys(NAMES, OutcomeKind.FINDINGS)
    assert queued_tokens(services) == 1
    report = services.ledger.reports.lease("test", 60)
    assert report
    assert report.message_id == "m-1"
    assert sent(services) == []


def test_one_that_takes_too_long_runs_again_alone_and_last(services: Services) -> None:
    planned(services, computes)
    run(services, *NAMES)
    assert outcomes(services) == {"first": OutcomeKind.FINDINGS}
    assert slow(services) == [["third"]], "the workspace has one message in the queue"
    assert record_of(services).slow_checks == {"second": "limit", "third": "limit"}

    services.checks = {**services.checks, "second": services.checks["first"]}
    run_slow(services, "third")
    assert slow(services) == [["second"]]
    run_slow(services, "second")
    assert outcomes(services) == dict.fromkeys(NAMES, OutcomeKind.FINDINGS)
    assert slow(services) == []
    assert services.ledger.reports.lease("test", 60)


def test_one_that_takes_too_long_on_the_slow_queue_is_unreviewable_and_keeps_its_findings(
    services: Services,
) -> None:
    planned(services, takes_too_long)
    run(services, "second")
    assert outcomes(services) == {}
    run_slow(services, "second")
    assert outcomes(services) == {"second": OutcomeKind.UNREVIEWABLE}
    assert [item.rule for item in record_of(services).outcomes["second"].findings] == ["T-2"]


def test_checks_that_used_up_the_allowance_together_leave_the_others(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu_checks, "FAST_SECONDS", 0.0)
    planned(services, passes)
    run(services, *NAMES)
    assert record_of(services).slow_checks == dict.fromkeys(NAMES, "limit")


def test_after_slow_lookups_the_others_are_dispatched_individually(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_execution, "SHARED_SECONDS", -1.0)
    planned(services, passes)
    run(services, *NAMES)
    assert outcomes(services) == {"first": OutcomeKind.FINDINGS}
    assert [checks for checks, _ in sent(services)] == [["second"], ["third"]]
    run(services, "third")
    run(services, "second")
    assert services.ledger.reports.lease("test", 60)
    assert slow(services) == []


def test_after_a_crash_each_runs_on_the_slow_queue(services: Services) -> None:
    planned(services, passes)
    assert services.ledger.start_attempts("m-1", 1, NAMES)  # the process then dies
    run(services, *NAMES, is_redelivery=True)
    assert outcomes(services) == {}
    for name in NAMES:
        run_slow(services, name)
    assert outcomes(services).keys() == {*NAMES}


def test_a_redelivery_of_what_never_started_is_no_crash(services: Services) -> None:
    planned(services, passes)
    run(services, *NAMES, is_redelivery=True)
    assert outcomes(services).keys() == {*NAMES}


class RecordedLock:
    """Stands for the lock of what runs alone; keeps the attempts of the check `first` when it was taken."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.attempts: list[int] = []

    def __enter__(self) -> None:
        record = self._services.ledger.get("m-1")
        assert record
        self.attempts.append(record.attempts["first"])

    def __exit__(self, *_: object) -> None:
        """Do nothing."""


def test_an_io_bound_check_that_may_have_ended_its_process_runs_alone(services: Services) -> None:
    planned(services, passes)
    lock = RecordedLock(services)
    services.alone = cast("threading.Lock", lock)

    def run_io(*, is_redelivery: bool) -> None:
        arguments = services, "m-1", 1, ["first"], time.time() + 40
        check_execution.execute(*arguments, is_redelivery=is_redelivery)

    for _ in range(check_execution.SUSPECT_ATTEMPTS):
        assert services.ledger.start_attempts("m-1", 1, ["first"])  # the process then dies
    run_io(is_redelivery=False)
    assert lock.attempts == [], "it is another delivery: no process ended"
    services.ledger.client.hdel(services.ledger.key("event:m-1"), "o:first")
    run_io(is_redelivery=True)
    assert lock.attempts == [check_execution.SUSPECT_ATTEMPTS + 1], "it waits before its attempt counts"


def test_a_workspace_above_its_budget_runs_all_on_the_slow_queue(services: Services) -> None:
    planned(services, passes)
    services.scheduler.charge(str(PROJECT_ID), 2 * BUDGET_SECONDS)
    run(services, *NAMES)
    assert slow(services) == [[*NAMES]]
    assert record_of(services).slow_checks == dict.fromkeys(NAMES, "budget")

    run_slow(services, *NAMES)
    assert outcomes(services).keys() == {*NAMES}


def test_the_time_on_either_queue_is_charged(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    charged: list[str] = []
    monkeypatch.setattr(services.scheduler, "charge", lambda workspace, _: charged.append(workspace))
    planned(services, passes)
    run(services, "first")
    services.scheduler.move(record_of(services), 1, ["second"], time.time() + 40, SlowReason.BUDGET)
    run_slow(services, "second")
    assert charged == [str(PROJECT_ID)] * 2


def test_an_input_that_used_up_its_allowance_is_not_tried_on_the_fast_queue_again(services: Services) -> None:
    snapshot = Snapshot(FileSnapshot(1, "dwd_order", 10, "SELECT 1")).to_json()
    planned(services, computes, snapshot)
    run(services, "second")
    planned(services, passes, snapshot, message_id="m-2", project_id=PROJECT_ID + 1)
    cpu_checks.execute_fast(services, "m-2", 1, NAMES, time.time() + 40)
    record = record_of(services, "m-2")
    assert record.slow_checks == dict.fromkeys(NAMES, "input")
    assert record.outcomes == {}


def test_a_new_run_of_an_event_starts_on_the_fast_queue(services: Services) -> None:
    planned(services, takes_too_long)
    run(services, *NAMES)
    services.ledger.mark_dead("m-1", "for the test")
    services.ledger.reopen("m-1", time.time() + 60, time.time() + 48, actor="tests", reason="for the test")
    assert record_of(services).slow_checks == {}


def test_a_check_without_time_left_on_the_slow_queue_is_unreviewable(services: Services) -> None:
    planned(services, passes)
    deadline = time.time() + 1
    services.scheduler.move(record_of(services), 1, ["first"], deadline, SlowReason.BUDGET)
    run_slow(services, "first")
    assert outcomes(services) == {"first": OutcomeKind.TIMED_OUT}
    verdict = reporter.decide(services, record_of(services))
    assert verdict.result is Result.FAIL


def test_a_check_that_waits_on_the_slow_queue_at_the_deadline_is_unreviewable(services: Services) -> None:
    planned(services, computes)
    run(services, *NAMES)
    verdict = reporter.decide(services, record_of(services))
    assert (verdict.result, verdict.reason) == (Result.FAIL, Reason.DEADLINE)
    assert "slow queue" in verdict.tip

    planned(services, passes, message_id="m-2")
    verdict = reporter.decide(services, record_of(services, "m-2"))
    assert verdict.result is Result.WARN, "without a slow input the policy's on_timeout counts"


def test_a_fault_of_one_leaves_the_others_done(services: Services) -> None:
    planned(services, meets_a_fault)
    with pytest.raises(Unreachable):
        run(services, *NAMES)
    assert outcomes(services).keys() == {"first", "third"}

    services.checks = {**services.checks, "second": services.checks["first"]}
    run(services, *NAMES)
    assert outcomes(services).keys() == {*NAMES}
    assert sent(services) == []


def details(services: Services) -> dict[str, str | None]:
    record = services.ledger.get("m-1")
    assert record
    return {name: outcome.detail for name, outcome in record.outcomes.items()}


def test_a_check_that_ends_its_worker_each_time_is_unreviewable(services: Services) -> None:
    planned(services, passes)
    for _ in range(MAX_ATTEMPTS):
        assert services.ledger.start_attempts("m-1", 1, ["second"])  # and then the process died
    run(services, "second", is_redelivery=True)
    run_slow(services, "second", is_redelivery=True)
    assert details(services) == {"second": f"it ended its process {MAX_ATTEMPTS} times"}
    assert outcomes(services) == {"second": OutcomeKind.UNREVIEWABLE}


def test_a_check_that_this_worker_lacks_is_an_error(services: Services) -> None:
    planned(services, passes)
    services.checks = {}
    run(services, "second")
    assert details(services) == {"second": "the check is not installed in this worker"}


def test_a_fault_without_time_for_another_attempt_is_an_error(services: Services) -> None:
    planned(services, meets_a_fault)
    for _ in range(3):
        assert services.ledger.start_attempts("m-1", 1, ["second"])
    cpu_checks.execute_fast(services, "m-1", 1, ["second"], time.time() + 6)  # the next wait is 8 s
    assert "GetNode" in str(details(services)["second"])
    assert outcomes(services) == {"second": OutcomeKind.ERROR}


def test_checks_of_an_older_run_leave_nothing_behind(services: Services) -> None:
    planned(services, passes)
    cpu_checks.execute_fast(services, "m-1", 7, NAMES, time.time() + 40)
    assert outcomes(services) == {}
    assert sent(services) == []


def test_checks_of_a_killed_process_run_on_the_slow_queue(services: Services) -> None:
    planned(services, passes)
    deadline = time.time() + 40
    cpu_checks.on_killed(services, "m-1", 1, ["first", "second"], deadline, by_input=True)
    assert slow(services) == [["first"]]
    assert outcomes(services) == {}
    planned(services, passes, message_id="m-2")
    cpu_checks.execute_fast(services, "m-2", 1, NAMES, deadline)
    assert record_of(services, "m-2").slow_checks == dict.fromkeys(NAMES, "budget"), "its workspace is known"


def test_a_single_check_of_the_slow_queue_gets_its_outcome_and_the_next_one_is_published(
    services: Services,
) -> None:
    planned(services, passes)
    deadline = time.time() + 40
    cpu_checks.on_killed(services, "m-1", 1, ["first", "second"], deadline, by_input=True)
    cpu_checks.on_killed(services, "m-1", 1, ["first"], deadline, str(PROJECT_ID), by_input=True)
    assert outcomes(services) == {"first": OutcomeKind.UNREVIEWABLE}
    assert slow(services) == [["first"], ["second"]]


def test_checks_that_share_a_message_of_the_slow_queue_part(services: Services) -> None:
    planned(services, passes)
    deadline = time.time() + 40
    cpu_checks.on_killed(services, "m-1", 1, NAMES, deadline, str(PROJECT_ID), by_input=True)
    assert record_of(services).slow_checks == dict.fromkeys(NAMES, "killed")
    assert slow(services) == [["first"]]


def test_slow_lookups_are_no_fault_of_the_input(services: Services) -> None:
    planned(services, passes)
    deadline = time.time() + 40
    cpu_checks.on_killed(services, "m-1", 1, ["first", "second"], deadline, by_input=False)
    assert [checks for checks, _ in sent(services)] == [["first"], ["second"]]
    cpu_checks.on_killed(services, "m-1", 1, ["first"], deadline, by_input=False)
    assert outcomes(services) == {"first": OutcomeKind.TIMED_OUT}
    assert slow(services) == []


def test_checks_of_a_killed_process_without_time_for_more_get_their_outcome(services: Services) -> None:
    planned(services, passes)
    cpu_checks.on_killed(services, "m-1", 1, NAMES, time.time() + 1, by_input=True)
    assert sent(services) == []
    assert slow(services) == []
    assert outcomes(services) == dict.fromkeys(NAMES, OutcomeKind.UNREVIEWABLE)


def test_a_check_without_time_left_is_not_started(services: Services) -> None:
    planned(services, passes)
    cpu_checks.execute_fast(services, "m-1", 1, ["first"], time.time() + 1)
    assert outcomes(services) == {"first": OutcomeKind.TIMED_OUT}


@pytest.mark.parametrize(
    ("left", "alone", "seconds"),
    [(40, True, REVIEW_SECONDS), (40, False, REVIEW_SECONDS), (8, True, 6), (8, False, 4)],
)
def test_a_check_may_work_for_the_limit_or_until_its_deadline(
    left: float, alone: bool, seconds: float
) -> None:
    deadline = time.time() + left
    found = check_execution.time_limit(deadline, alone=alone)
    assert found == pytest.approx(seconds, abs=0.5)
    assert found + GRACE_SECONDS < left


@pytest.mark.parametrize(("left", "seconds"), [(41, 30), (7, 6), (0, 1)])
def test_a_message_has_the_time_until_its_deadline(services: Services, left: float, seconds: float) -> None:
    services.dispatch.send_checks("m-1", 1, NAMES, Runs.CPU, time.time() + left)
    services.dispatch.send_slow_checks("m-1", 1, NAMES, "101", time.time() + left)
    for queue in (TOPOLOGY[QueueName.CHECKS_CPU], TOPOLOGY[QueueName.CHECKS_SLOW]):
        assert [limit for _, limit in sent(services, queue)] == pytest.approx([seconds], abs=0.2)


def test_attempts_that_met_faults_of_an_engine_do_not_count_as_crashes(services: Services) -> None:
    planned(services, passes)
    for _ in range(MAX_ATTEMPTS + 3):
        assert services.ledger.start_attempts("m-1", 1, ["second"])
    run(services, "second")
    assert outcomes(services) == {"second": OutcomeKind.FINDINGS}


def test_what_a_check_found_counts_if_a_later_lookup_hangs_until_the_deadline(
    services: Services, emulator: Emulator
) -> None:
    sample = SAMPLES["freeze-node-bad"]
    event = Event("m-1", sample.event_code, PROJECT_ID, None, True, sample.data, time.time())
    emulator.fault("delay", action="GetNodeChildren", times=1, seconds=0.01)
    emulator.fault("hang", action="GetNodeChildren", times=None, seconds=60)
    runner = services.check_runner(event, None, Language.ENGLISH, time.time() + 4)
    planned_check = PlannedCheck("downstream-impact", Mode.ENFORCE, Result.WARN, Result.WARN, {})
    outcome = runner.run(services.checks["downstream-impact"], planned_check)
    assert [finding.severity for finding in outcome.findings][:1] == [Severity.BLOCK]
    assert services.check_threads.hanging == 0
