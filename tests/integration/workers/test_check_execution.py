"""Several checks of an event in one message: shared limits, and individual dispatch after a failure."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable, Iterator

import orjson
import pytest

from common import topology
from common.events import Event
from common.i18n import Language
from common.plan import Mode, Plan, PlannedCheck
from common.time_limits import GRACE_SECONDS, REVIEW_SECONDS, TimeLimitReached
from common.verdicts import Finding, OutcomeKind, Result, Severity
from tests.support.emulator_process import PROJECT_ID, Emulator
from tests.support.running_dwgate import SAMPLES
from workers import check_execution, dispatch, intake
from workers.celery_app import create_app
from workers.checks.api import Check, Context, Runs
from workers.checks.registry import CheckFunction
from workers.dataworks.errors import Unreachable
from workers.retry import MAX_ATTEMPTS
from workers.services import Services
from workers.settings import WorkerSettings

FILE = SAMPLES["commit-file-good"]
COMPUTING = ("code-review", "change-impact", "declared-inputs")
NAMES = ("first", "second", "third")


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


def planned(services: Services, second: CheckFunction) -> None:
    """Plan the event m-1 with three checks, the second of which is `second`."""
    functions = {"first": passes, "second": second, "third": passes}
    services.checks = {name: Check(name, frozenset(), Runs.CPU, functions[name]) for name in NAMES}
    now = time.time()
    event = Event("m-1", "freeze-node", PROJECT_ID, "u", True, {"nodeIds": [1]}, now)
    services.ledger.admit(event, now + 60, now + 48)
    checks = tuple(PlannedCheck(name, Mode.ENFORCE, Result.WARN, Result.WARN, {}) for name in NAMES)
    plan = Plan(checks, Result.OK, Language.ENGLISH, "p")
    assert services.ledger.save_plan("m-1", 1, plan, None, {})


def sent(services: Services, queue: topology.Queue = topology.CHECKS_CPU) -> list[tuple[list[str], float]]:
    """Return a queue's messages, oldest first: the checks and the message's time limit in seconds."""
    found = []
    for raw in reversed(services.ledger.client.lrange(queue.name, 0, -1)):
        message = orjson.loads(raw)
        _, arguments, _ = orjson.loads(base64.b64decode(message["body"]))
        found.append((arguments["checks"], message["headers"]["timelimit"][0]))
    return found


def queued_tokens(services: Services) -> int:
    """Return the number of published tokens."""
    return int(services.ledger.client.llen(topology.REPORTS.name))


def run(services: Services, *names: str) -> None:
    check_execution.execute(services, "m-1", 1, names, time.time() + 40)


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
    assert [checks for checks, _ in sent(services, topology.CHECKS_IO)] == [["schedule-consistency"]]

    check_execution.execute(services, "m-1", 1, checks, time.time() + 40)
    assert outcomes(services).keys() == {"release-window", *COMPUTING}


def test_all_run_and_the_last_outcome_enqueues_the_verdict(services: Services) -> None:
    planned(services, passes)
    run(services, *NAMES)
    assert outcomes(services) == dict.fromkeys(NAMES, OutcomeKind.FINDINGS)
    assert queued_tokens(services) == 1
    report = services.ledger.reports.lease("test", 60).report
    assert report
    assert report.message_id == "m-1"
    assert sent(services) == []


def test_one_that_takes_too_long_is_unreviewable_and_keeps_its_findings(services: Services) -> None:
    planned(services, takes_too_long)
    run(services, *NAMES)
    expected = dict.fromkeys(NAMES, OutcomeKind.FINDINGS) | {"second": OutcomeKind.UNREVIEWABLE}
    assert outcomes(services) == expected
    record = services.ledger.get("m-1")
    assert record
    assert [item.rule for item in record.outcomes["second"].findings] == ["T-2"]


def test_after_a_slow_one_the_others_are_dispatched_individually(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_execution, "SHARED_SECONDS", -1.0)
    planned(services, passes)
    run(services, *NAMES)
    assert outcomes(services) == {"first": OutcomeKind.FINDINGS}
    assert [checks for checks, _ in sent(services)] == [["second"], ["third"]]
    run(services, "third")
    run(services, "second")
    assert services.ledger.reports.lease("test", 60).report


def test_after_a_crash_each_is_dispatched_individually(services: Services) -> None:
    planned(services, passes)
    assert services.ledger.start_attempts("m-1", 1, NAMES)  # the process then dies
    run(services, *NAMES)
    assert outcomes(services) == {}
    assert [checks for checks, _ in sent(services)] == [["first"], ["second"], ["third"]]


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
    run(services, "second")
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
    check_execution.execute(services, "m-1", 1, ["second"], time.time() + 6)  # the next wait is 8 s
    assert "GetNode" in str(details(services)["second"])
    assert outcomes(services) == {"second": OutcomeKind.ERROR}


def test_checks_of_an_older_run_leave_nothing_behind(services: Services) -> None:
    planned(services, passes)
    check_execution.execute(services, "m-1", 7, NAMES, time.time() + 40)
    assert outcomes(services) == {}
    assert sent(services) == []


@pytest.mark.parametrize("by_input", [True, False])
def test_checks_of_a_killed_process_are_dispatched_individually(services: Services, by_input: bool) -> None:
    planned(services, passes)
    deadline = time.time() + 40
    check_execution.on_killed(services, "m-1", 1, ["first", "second"], deadline, by_input=by_input)
    assert [checks for checks, _ in sent(services)] == [["first"], ["second"]]
    assert outcomes(services) == {}


@pytest.mark.parametrize(
    ("by_input", "kind"), [(True, OutcomeKind.UNREVIEWABLE), (False, OutcomeKind.TIMED_OUT)]
)
def test_a_single_check_of_a_killed_process_gets_its_outcome(
    services: Services, by_input: bool, kind: OutcomeKind
) -> None:
    planned(services, passes)
    check_execution.on_killed(services, "m-1", 1, ["first"], time.time() + 40, by_input=by_input)
    assert sent(services) == []
    assert outcomes(services) == {"first": kind}


def test_checks_of_a_killed_process_without_time_for_more_get_their_outcome(services: Services) -> None:
    planned(services, passes)
    check_execution.on_killed(services, "m-1", 1, NAMES, time.time() + 1, by_input=True)
    assert sent(services) == []
    assert outcomes(services) == dict.fromkeys(NAMES, OutcomeKind.UNREVIEWABLE)


def test_a_check_without_time_left_is_not_started(services: Services) -> None:
    planned(services, passes)
    check_execution.execute(services, "m-1", 1, ["first"], time.time() + 1)
    assert outcomes(services) == {"first": OutcomeKind.TIMED_OUT}


@pytest.mark.parametrize(
    ("left", "alone", "seconds"),
    [(40, True, REVIEW_SECONDS), (40, False, REVIEW_SECONDS), (8, True, 6), (8, False, 4)],
)
def test_a_check_may_work_for_the_limit_or_until_its_deadline(
    left: float, alone: bool, seconds: float
) -> None:
    deadline = time.time() + left
    found = check_execution._time_limit(deadline, alone=alone)
    assert found == pytest.approx(seconds, abs=0.5)
    assert found + GRACE_SECONDS < left


@pytest.mark.parametrize(("left", "seconds"), [(41, 30), (7, 6), (0, 1)])
def test_a_message_has_the_time_until_its_deadline(services: Services, left: float, seconds: float) -> None:
    services.dispatch.send_checks("m-1", 1, NAMES, Runs.CPU, time.time() + left)
    assert [limit for _, limit in sent(services)] == pytest.approx([seconds], abs=0.2)
