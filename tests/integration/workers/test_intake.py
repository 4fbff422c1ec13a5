"""Intake on a real Valkey, against the emulator: what runs in the process and what is queued."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from common.events import Event
from common.ledger import EventRecord, State
from common.topology import Queue, QueueName
from common.verdicts import Finding, OutcomeKind, Reason, Result, Subject, SubjectKind, Verdict
from tests.support.emulator_process import PROJECT_ID, Emulator
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import SAMPLES
from workers import check_execution, intake
from workers.celery_app import create_app
from workers.checks.api import Check
from workers.extension_options import enabled_workspaces
from workers.pipeline import planner
from workers.routing import plan_router
from workers.services import Services
from workers.settings import WorkerSettings

WAITING = SAMPLES["freeze-node-good"]


@pytest.fixture
def services(worker_settings: WorkerSettings) -> Iterator[Services]:
    app = create_app(worker_settings)
    services = Services(worker_settings, app, is_io_pool=True)
    yield services
    app.close()
    services.ledger.client.close()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let intake wait long enough for DataWorks' answer on a busy machine."""
    monkeypatch.setattr(enabled_workspaces, "WAIT_SECONDS", 30.0)


def event(emulator: Emulator, message_id: str) -> Event:
    """Start the operation of a sample whose only check is I/O-bound; return its event."""
    emulator.start_process(message_id, WAITING.event_code, snapshot=WAITING.snapshot)
    return Event(message_id, WAITING.event_code, PROJECT_ID, None, True, WAITING.data, time.time())


def queued(services: Services, queue: Queue) -> int:
    """Return the number of messages in a queue."""
    return int(services.ledger.client.llen(queue.name))


def test_the_only_io_bound_check_runs_in_the_process(services: Services, emulator: Emulator) -> None:
    assert intake.process_events(services, [event(emulator, "m-1")]) == ([], None)

    [post] = emulator.verdicts("m-1")
    assert post["result"] == WAITING.expected
    assert [queued(services, queue) for queue in TOPOLOGY.task_queues] == [0, 0, 0, 0, 0]
    record = services.ledger.get("m-1")
    assert record
    assert list(record.attempts.values()) == [1]


def test_a_cpu_bound_process_queues_it(services: Services, emulator: Emulator) -> None:
    services.is_io_pool = False

    intake.process_events(services, [event(emulator, "m-1")])
    assert queued(services, TOPOLOGY[QueueName.CHECKS_IO]) == 1


def plugin_of(check: Check) -> Callable[[Any], Iterable[Finding]]:
    """Return the function of a check as if it were a plug-in's."""

    def run(context: Any) -> Iterable[Finding]:
        return check.run(context)

    return run


def test_a_process_that_must_not_stop_queues_the_checks_of_plugins(
    worker_settings: WorkerSettings, emulator: Emulator
) -> None:
    app = create_app(worker_settings)
    services = Services(worker_settings, app, is_io_pool=True, runs_plugins=False)
    for name in ("release-window", "downstream-impact"):
        built_in = services.checks[name]
        assert built_in.is_built_in
        services.checks[name] = replace(built_in, run=plugin_of(built_in))
        assert not services.checks[name].is_built_in

    intake.process_events(services, [event(emulator, "m-1")])
    assert queued(services, TOPOLOGY[QueueName.CHECKS_IO]) == 2
    record = services.ledger.get("m-1")
    assert record
    assert record.outcomes == {}
    for name in record.pending_checks:
        check_execution.execute(services, "m-1", 1, [name], record.watch_at)
    [post] = emulator.verdicts("m-1")
    assert post["result"] == WAITING.expected
    app.close()
    services.ledger.client.close()


def test_a_local_check_with_a_transient_fault_is_queued(services: Services, emulator: Emulator) -> None:
    emulator.fault("throttle", action="GetNodeChildren", times=10)

    assert intake.process_events(services, [event(emulator, "m-1")]) == ([], None)
    assert queued(services, TOPOLOGY[QueueName.CHECKS_IO]) == 1
    assert services.ledger.states(["m-1"]) == [State.CHECKING]


def test_a_local_check_with_a_failed_lookup_is_queued(services: Services, emulator: Emulator) -> None:
    emulator.fault("throttle", action="GetBaselineConfig", times=10)
    bad = SAMPLES["freeze-node-bad"]  # the lookup of its nodes succeeds, the lookup of their baseline fails
    emulator.start_process("m-1", bad.event_code, snapshot=bad.snapshot)

    an_event = Event("m-1", bad.event_code, PROJECT_ID, None, True, bad.data, time.time())
    assert intake.process_events(services, [an_event]) == ([], None)
    assert queued(services, TOPOLOGY[QueueName.CHECKS_IO]) == 1
    assert emulator.verdicts() == []

    check_execution.execute(services, "m-1", 1, ["downstream-impact"], time.time() + 4)
    [post] = emulator.verdicts("m-1")
    assert post["result"] == bad.expected
    _assert_record_explains_the_verdict(services.ledger.get("m-1"))


def test_no_lookup_of_a_local_check_that_is_queued_is_made_again(
    services: Services, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "INLINE_BUDGET", 0.3)
    emulator.fault("delay", times=None, seconds=0.5)
    bad = SAMPLES["freeze-node-bad"]
    emulator.start_process("m-1", bad.event_code, snapshot=bad.snapshot)

    an_event = Event("m-1", bad.event_code, PROJECT_ID, None, True, bad.data, time.time())
    assert intake.process_events(services, [an_event]) == ([], None)
    assert queued(services, TOPOLOGY[QueueName.CHECKS_IO]) == 1
    assert emulator.state()["calls"]["GetNodeChildren"] == 1

    emulator.clear_faults()
    check_execution.execute(services, "m-1", 1, ["downstream-impact"], time.time() + 20)
    record = services.ledger.get("m-1")
    assert record
    graph = record.outcomes["downstream-impact"].evidence
    assert graph
    nodes = len(graph.changed) + len(graph.dependents)
    assert emulator.state()["calls"]["GetNodeChildren"] == nodes, "each is asked once"


def _assert_record_explains_the_verdict(record: EventRecord | None) -> None:
    assert record is not None
    assert record.subject == Subject(SubjectKind.NODE, "700123301", "dwd_trade_order_di")
    assert record.owner == "1923456789012735"
    assert record.plan is not None
    source = record.plan.checks[0].source
    assert source is not None
    assert (source.file, source.layer) == ("default.yaml", "defaults")
    graph = record.outcomes["downstream-impact"].evidence
    assert graph is not None
    assert [node.name for node in graph.changed] == ["dwd_trade_order_di"]
    assert (graph.changed[0].baseline, graph.changed[0].priority) == ("900101", 8)
    assert graph.dependents
    assert {edge.source for edge in graph.edges} >= {graph.changed[0].id}


def test_the_rest_of_a_slow_batch_is_requeued_in_a_few_messages(
    services: Services, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "BATCH_TIME_BUDGET", 0.0)

    intake.process_events(services, [event(emulator, f"m-{number}") for number in range(7)])
    assert len(emulator.verdicts()) == 1
    assert queued(services, TOPOLOGY[QueueName.INTAKE]) == 2
    assert services.ledger.counts()[State.RECEIVED] == 6


def test_the_events_of_a_message_wait_for_dataworks_at_the_same_time(
    services: Services, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot, together = intake._snapshot, threading.Barrier(5)

    def wait(services: Services, record: EventRecord) -> object:
        together.wait(20)
        return snapshot(services, record)

    monkeypatch.setattr(intake, "_snapshot", wait)
    events = [commit(emulator, f"m-{number}") for number in range(5)]
    assert intake.process_events(services, events) == ([], None)
    assert services.ledger.counts()[State.CHECKING] == 5


def without_process_id(an_event: Event) -> Event:
    """Return the event with `blockBusiness: false` and without the ID of a check process."""
    data = {key: value for key, value in an_event.data.items() if key != "extensionBizId"}
    return replace(an_event, blocking=False, data=data)


@pytest.mark.parametrize("waits", [True, False])
def test_a_notification_that_no_operation_waits_for_is_ignored(
    services: Services, emulator: Emulator, *, waits: bool
) -> None:
    notified = without_process_id(event(emulator, "m-1"))
    if not waits:
        notified = replace(notified, message_id="m-2")
    assert intake.process_events(services, [notified]) == ([], None)
    wanted = State.REPORTED if waits else State.IGNORED
    assert services.ledger.states([notified.message_id]) == [wanted]


def test_an_event_is_checked_when_dataworks_does_not_say_whether_it_waits(
    services: Services, emulator: Emulator
) -> None:
    emulator.fault("error", action="ListCheckProcesses", times=None, status=403, code="Forbidden.RAM")
    assert intake.process_events(services, [without_process_id(event(emulator, "m-1"))]) == ([], None)
    assert services.ledger.states(["m-1"]) == [State.REPORTED]


def test_an_event_with_a_check_process_is_judged_without_a_query(
    services: Services, emulator: Emulator
) -> None:
    """DataWorks may list the process later than it sends the event, which has `blockBusiness: false`."""
    services.ledger.lease_due(1)  # The history of the ledger begins before the event arrives.
    emulator.start_process("m-1", WAITING.event_code, listed_after=3600)
    an_event = Event("m-1", WAITING.event_code, PROJECT_ID, None, False, WAITING.data, time.time())
    assert an_event.check_process_id
    assert intake.process_events(services, [an_event]) == ([], None)
    assert services.ledger.states(["m-1"]) == [State.REPORTED]
    assert "ListCheckProcesses" not in emulator.state()["calls"]


def enabled_in(*projects: int) -> dict[str, object]:
    """Return the extension of a world that is enabled in these workspaces only."""
    bound = [{"EventCode": WAITING.event_code}]
    return {"projects": list(projects), "BindEventList": bound, "ProjectTesting": None}


@pytest.mark.usefixtures("patient")
def test_an_event_of_a_workspace_without_the_extension_is_ignored(
    services: Services, emulator: Emulator
) -> None:
    emulator.add_to_world(extension=enabled_in())
    emulator.start_process("m-1", WAITING.event_code, extension="another")
    an_event = Event("m-1", WAITING.event_code, PROJECT_ID, None, True, WAITING.data, time.time())
    assert intake.process_events(services, [an_event]) == ([], None)

    record = services.ledger.get("m-1")
    assert record
    assert record.state is State.IGNORED
    assert "not enabled" in record.timeline[-1].detail
    assert emulator.verdicts() == []


@pytest.mark.usefixtures("patient")
def test_the_first_event_after_the_extension_was_enabled_is_judged(
    services: Services, emulator: Emulator
) -> None:
    emulator.add_to_world(extension=enabled_in())
    intake.process_events(services, [event(emulator, "before")])
    assert services.ledger.states(["before"]) == [State.IGNORED]

    emulator.add_to_world(extension=enabled_in(PROJECT_ID))
    intake.process_events(services, [event(emulator, "after")])
    assert services.ledger.states(["after"]) == [State.REPORTED]


@pytest.mark.usefixtures("patient")
def test_known_workspaces_cost_no_query(services: Services, emulator: Emulator) -> None:
    for number in range(3):
        intake.process_events(services, [event(emulator, f"m-{number}")])
    another_process = Services(services.settings, services.app, is_io_pool=True)
    intake.process_events(another_process, [event(emulator, "m-3")])
    another_process.ledger.client.close()
    assert emulator.state()["calls"]["ListEnabledExtensionsForProject"] == 1


def test_events_are_judged_when_dataworks_does_not_say_where_the_extension_is_enabled(
    services: Services, emulator: Emulator
) -> None:
    action = "ListEnabledExtensionsForProject"
    emulator.fault("error", action=action, times=None, status=403, code="Forbidden.RAM")
    intake.process_events(services, [event(emulator, "m-1")])
    assert services.ledger.states(["m-1"]) == [State.REPORTED]


def test_the_test_workspace_counts_as_enabled(services: Services, emulator: Emulator) -> None:
    emulator.add_to_world(extension={**enabled_in(), "Status": 0, "ProjectTesting": PROJECT_ID})
    intake.process_events(services, [event(emulator, "m-1")])
    assert services.ledger.states(["m-1"]) == [State.REPORTED]


def test_a_redelivery_goes_on_where_the_first_delivery_ended(services: Services, emulator: Emulator) -> None:
    services.is_io_pool = False
    an_event = event(emulator, "m-1")
    for _ in range(2):  # planned, then the missing check is sent again
        assert intake.process_events(services, [an_event]) == ([], None)
    assert queued(services, TOPOLOGY[QueueName.CHECKS_IO]) == 2

    services.ledger.acquire_report_lease("m-1", "died", 60)
    verdict = Verdict(Result.OK, "tip", Reason.COMPLETE, time.time())
    assert services.ledger.freeze_verdict("m-1", "died", verdict)
    assert intake.process_events(services, [an_event]) == ([], None)
    assert queued(services, TOPOLOGY[QueueName.REPORTS]) == 1


def test_checks_that_end_their_worker_each_time_are_not_sent_for_ever(
    services: Services, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.is_io_pool = False
    monkeypatch.setattr(intake, "MAX_DELIVERIES", 1)
    an_event = event(emulator, "m-1")
    for _ in range(2):
        intake.process_events(services, [an_event])
    assert queued(services, TOPOLOGY[QueueName.CHECKS_IO]) == 1


def test_of_two_deliveries_that_race_the_first_plan_counts(services: Services, emulator: Emulator) -> None:
    services.is_io_pool = False
    [record] = intake.admit(services, [event(emulator, "m-1")])
    for _ in range(2):
        intake.advance(services, record)
    found = services.ledger.get("m-1")
    assert found
    assert queued(services, TOPOLOGY[QueueName.CHECKS_IO]) == 2 * len(found.pending_checks)


def test_an_operation_whose_detail_is_refused_is_answered_all_the_same(
    services: Services, emulator: Emulator
) -> None:
    emulator.fault("error", action="GetIDEEventDetail", times=None, status=403, code="Forbidden.RAM")
    sample = SAMPLES["commit-file-good"]
    emulator.start_process("m-1", sample.event_code, snapshot=sample.snapshot)
    an_event = Event("m-1", sample.event_code, PROJECT_ID, None, True, sample.data, time.time())
    assert intake.process_events(services, [an_event]) == ([], None)
    record = services.ledger.get("m-1")
    assert record
    refused = [each for each in record.outcomes.values() if each.kind is OutcomeKind.ERROR]
    assert refused
    assert all("Forbidden.RAM" in str(each.detail) for each in refused)


def break_planning_of(message_id: str, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]) -> None:
    """Make the planning of one event raise."""
    snapshot = intake._snapshot

    def fail(services: Services, record: EventRecord) -> object:
        if record.event.message_id == message_id:
            raise error("SELECT secret_of_the_node")
        return snapshot(services, record)

    monkeypatch.setattr(intake, "_snapshot", fail)


def commit(emulator: Emulator, message_id: str) -> Event:
    sample = SAMPLES["commit-file-good"]
    emulator.start_process(message_id, sample.event_code, snapshot=sample.snapshot)
    return Event(message_id, sample.event_code, PROJECT_ID, None, True, sample.data, time.time())


def test_an_exception_in_the_planning_of_one_event_does_not_affect_the_others(
    services: Services, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_planning_of("m-2", monkeypatch, ValueError)
    events = [commit(emulator, f"m-{number}") for number in (1, 2, 3)]
    assert intake.process_events(services, events) == ([], None)
    states = services.ledger.states(["m-1", "m-2", "m-3"])
    assert states == [State.CHECKING, State.RECEIVED, State.CHECKING]
    assert queued(services, TOPOLOGY[QueueName.INTAKE]) == 1, "it has a message of its own"

    assert intake.process_events(services, [events[1]]) == ([], None)
    record = services.ledger.get("m-2")
    assert record
    assert record.verdict
    assert record.verdict.result is Result.FAIL, "what breaks its checks counts as unreviewable"
    assert "ValueError" in str(record.outcomes["code-review"].detail)
    assert "secret_of_the_node" not in str(record)


def test_events_of_a_message_that_cannot_be_admitted_together_are_separated(
    services: Services, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadline_for = planner.deadline_for

    def fail(event: Event, *rest: object) -> object:
        if event.message_id == "m-2":
            raise ValueError("for the test")
        return deadline_for(event, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(planner, "deadline_for", fail)
    events = [event(emulator, f"m-{number}") for number in (1, 2, 3)]
    assert intake.process_events(services, events) == ([], None)
    assert queued(services, TOPOLOGY[QueueName.INTAKE]) == 3
    with pytest.raises(ValueError, match="for the test"):
        intake.process_events(services, [events[1]])


def test_the_events_of_a_redelivered_message_are_separated(services: Services, emulator: Emulator) -> None:
    events = [event(emulator, f"m-{number}") for number in range(3)]
    assert intake.process_events(services, events, is_redelivery=True) == ([], None)
    assert queued(services, TOPOLOGY[QueueName.INTAKE]) == 3
    assert services.ledger.counts()[State.RECEIVED] == 3
    for one in events:  # each is planned alone, and no trace of the suspicion remains
        assert intake.process_events(services, [one]) == ([], None)
        record = services.ledger.get(one.message_id)
        assert record
        assert (record.state, record.interruptions) == (State.REPORTED, 0)


def test_an_event_that_ends_its_process_each_time_is_answered_without_its_checks(
    services: Services, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_planning_of("m-1", monkeypatch, SystemExit)
    monkeypatch.setattr(services.ledger, "end_planning_alone", lambda _: None)  # as if the process had ended
    one = commit(emulator, "m-1")
    ends = 0
    for number in range(10):
        try:
            intake.process_events(services, [one], is_redelivery=number > 0)
        except SystemExit:
            ends += 1
        else:
            break
    assert ends == intake.MAX_INTERRUPTIONS + 1
    record = services.ledger.get("m-1")
    assert record
    assert record.outcomes["code-review"].kind is OutcomeKind.UNREVIEWABLE
    assert [post["result"] for post in emulator.verdicts("m-1")] == ["FAIL"]


def test_a_transient_fault_is_no_reason_to_suspect_an_event(
    services: Services, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_router, "LAG_SECONDS", 60.0)
    emulator.fault("error", action="GetIDEEventDetail", times=None, status=500, code="InternalError.System")
    one = commit(emulator, "m-1")
    for number in range(6):
        unfinished, fault = intake.process_events(services, [one], is_redelivery=number == 0)
        assert unfinished == [one]
        assert fault
    emulator.clear_faults()
    assert intake.process_events(services, [one]) == ([], None)
    assert services.ledger.states(["m-1"]) == [State.CHECKING]


@pytest.mark.parametrize(
    ("name", "snapshot", "reason"),
    [
        ("commit-file-good", None, "DataWorks returned no file"),
        ("deploy-file-good", {"CommittedFile": None}, "DataWorks returned no file"),
        ("run-file-good", {"FileExecutionCommand": {"FileId": 1, "FileType": 10}}, "without its code"),
        ("commit-table-good", None, "DataWorks returned no table"),
        ("deploy-table-good", {"TableModel": {}}, "DataWorks returned no table"),
    ],
)
def test_an_operation_without_its_file_or_table_counts_as_the_policy_says(
    services: Services, emulator: Emulator, name: str, snapshot: dict[str, object] | None, reason: str
) -> None:
    sample = SAMPLES[name]
    emulator.start_process("m-1", sample.event_code, snapshot=snapshot)
    an_event = Event("m-1", sample.event_code, PROJECT_ID, None, True, sample.data, time.time())
    assert intake.process_events(services, [an_event]) == ([], None)
    record = services.ledger.get("m-1")
    assert record
    needing = {check for check in record.planned_checks if services.checks[check].needs_snapshot}
    assert needing
    assert {check for check, found in record.outcomes.items() if found.kind is OutcomeKind.ERROR} == needing
    [post] = emulator.verdicts("m-1")
    assert post["result"] == Result.WARN, "on_error of the built-in policy"
    assert reason in post["tip"]
