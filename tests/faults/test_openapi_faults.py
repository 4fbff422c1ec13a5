"""Faults of the OpenAPI: retried within the deadline, and always exactly one verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from common.extension_points import BY_CODE
from common.ledger import State
from common.verdicts import OutcomeKind
from tests.conftest import Broker, built_in_policy
from tests.support.engines import Valkey
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final

NAMES = ("commit-file-bad", "freeze-node-bad")

SETTLE_SECONDS = 20.0
"""After the deadline: an attempt to post that began before it, a query, and one more attempt."""

HANGING_EVENTS = 100
OTHERS = ("unfreeze-node-bad", "backfill-data-bad")
OTHER_DEADLINE = 15


@pytest.fixture(scope="module")
def gate(engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDwgate]:
    """One worker with all roles; short deadlines for the operations that hang, and for `OTHERS`."""
    folder = tmp_path_factory.mktemp("openapi")
    text = built_in_policy().replace("run-file: {deadline: 20", "run-file: {deadline: 8")
    for point in ("unfreeze-node", "backfill-data"):
        text = text.replace(f"{point}: {{checks", f"{point}: {{deadline: {OTHER_DEADLINE}, checks")
    policy = folder / "policy.yaml"
    policy.write_text(text)
    settings = {
        "DWGATE_RECONCILE_SECONDS": "2",
        "DWGATE_POLICY_FILE": str(policy),
        "DWGATE_LOOKUP_CACHE_SECONDS": "1",  # no test reads what another one has looked up
    }
    with fleet(engines[0].url, engines[1].url, folder, settings=settings) as running:
        yield running


@pytest.fixture(params=["lenient", "strict"])
def profile(gate: RunningDwgate, request: pytest.FixtureRequest) -> None:
    gate.emulator.clear_faults()
    gate.emulator.set_profile(request.param)


def one_verdict(gate: RunningDwgate, message_id: str, name: str) -> None:
    assert gate.verdict(message_id, 60)["result"] == SAMPLES[name].expected
    record = wait_until_final(gate, message_id, 45)
    assert record.state is State.REPORTED
    assert record.verdict
    assert record.pending_checks == ()
    posts = gate.posts(message_id)
    assert {post["result"] for post in posts} == {record.verdict.result}
    assert posts[0]["at"] < record.deadline_at, record.timeline
    assert len(posts) == 1


def result_operation(name: str) -> str:
    return BY_CODE[SAMPLES[name].event_code].result_operation.value


KINDS: dict[str, dict[str, Any]] = {
    "throttle": {},
    "error": {"status": 500, "code": "InternalError.System"},
    "html": {},
    "reset": {},
    "lost": {},
    "hang": {"seconds": 7},
}


@pytest.mark.usefixtures("profile")
def test_faults_of_the_result_operations(gate: RunningDwgate) -> None:
    sent = []
    for name in NAMES:
        for kind, fields in KINDS.items():
            message_id, event, sample = gate.sample(name)
            times = 1 if kind == "hang" else 2
            action = result_operation(name)
            gate.emulator.fault(kind, action=action, message_id=message_id, times=times, **fields)
            gate.start_process(message_id, sample)
            gate.post(event)
            sent.append((message_id, name))
    for message_id, name in sent:
        one_verdict(gate, message_id, name)


REFUSALS = [(401, "InvalidSecurityToken.Expired"), (403, "Forbidden.Access"), (403, "Forbidden.RAM")]


def test_a_refusal_that_ends_before_the_deadline(gate: RunningDwgate) -> None:
    """An expired token, a missing right: no reporter retries, but the watchdog posts until the deadline."""
    gate.emulator.clear_faults()
    gate.emulator.set_profile("strict")
    name = OTHERS[0]  # several attempts fit into its margin
    sent = []
    for status, code in REFUSALS * 3:
        message_id, event, sample = gate.sample(name)
        fields: dict[str, Any] = {"message_id": message_id, "times": 2, "status": status, "code": code}
        gate.emulator.fault("error", action=result_operation(name), **fields)
        gate.start_process(message_id, sample)
        gate.post(event)
        sent.append(message_id)
    for message_id in sent:
        one_verdict(gate, message_id, name)
        refused = [post for post in gate.emulator.verdicts(message_id) if post["status"] == "fault"]
        assert len(refused) == 2


def test_an_expired_token_in_a_lookup_counts_as_the_policy_says(gate: RunningDwgate) -> None:
    """It is no transient fault: the check ends at once with `on_error`, and the verdict is in time."""
    gate.emulator.clear_faults()
    gate.emulator.set_profile("strict")
    gate.emulator.fault(
        "error", action="GetNodeChildren", times=None, status=401, code="InvalidSecurityToken.Expired"
    )
    message_id = gate.send("freeze-node-good")
    gate.verdict(message_id, 30)
    record = wait_until_final(gate, message_id)
    assert record.verdict
    assert record.verdict.result == "WARN"
    assert record.outcomes["downstream-impact"].kind is OutcomeKind.ERROR
    assert record.attempts == {"downstream-impact": 1}
    [post] = gate.posts(message_id)
    assert post["at"] < record.deadline_at
    gate.emulator.clear_faults()


@pytest.mark.parametrize("kind", ["throttle", "error", "reset"])
def test_a_fault_of_the_lookups(gate: RunningDwgate, kind: str) -> None:
    gate.emulator.clear_faults()
    for action in ("GetIDEEventDetail", "GetMetaTableLineage"):
        gate.emulator.fault(kind, action=action, times=4, **KINDS[kind])
    message_id = gate.send("deploy-table-bad")
    one_verdict(gate, message_id, "deploy-table-bad")


def test_a_verdict_that_cannot_be_posted_is_dead_and_then_answered_after_all(gate: RunningDwgate) -> None:
    gate.emulator.clear_faults()
    gate.emulator.set_profile("lenient")
    name = "run-file-bad"  # the built-in policy gives it the shortest deadline
    message_id, event, sample = gate.sample(name)
    gate.emulator.fault(
        "error",
        action=result_operation(name),
        message_id=message_id,
        times=None,
        status=403,
        code="Forbidden.Access",
    )
    gate.start_process(message_id, sample)
    gate.post(event)
    wait_for(lambda: (r := gate.ledger.get(message_id)) and r.state is State.DEAD, 45)
    gate.emulator.clear_faults()

    assert gate.verdict(message_id, 30)["result"] == "FAIL"  # the reconciler found it waiting
    wait_for(lambda: (r := gate.ledger.get(message_id)) and r.state is State.REPORTED)


def test_a_list_that_refuses_or_hangs_at_some_points_hides_no_lost_event_of_others(
    gate: RunningDwgate,
) -> None:
    """One failing item must not end a loop: `review-file` is refused, `run-file` hangs."""
    gate.emulator.clear_faults()
    gate.emulator.fault(
        "error",
        action="ListCheckProcesses",
        event_code="review-file",
        times=None,
        status=400,
        code="InvalidParameter.EventCode",
    )
    gate.emulator.fault("hang", action="ListCheckProcesses", event_code="run-file", times=None, seconds=60)
    lost = {}
    for name in ("freeze-node-bad", "backfill-data-bad"):
        message_id, _, sample = gate.sample(name)
        gate.start_process(message_id, sample)
        lost[message_id] = sample
    for message_id in lost:
        assert gate.verdict(message_id, 30)["tip"]
        assert wait_until_final(gate, message_id).event.recovered
    gate.emulator.clear_faults()


def test_an_operation_that_is_listed_late_is_answered_from_its_event(gate: RunningDwgate) -> None:
    """A list may lag behind the event; published commits wait with `blockBusiness: false`."""
    gate.emulator.clear_faults()
    message_id, event, sample = gate.sample("commit-file-bad", blocking=False)
    gate.emulator.start_process(message_id, sample.event_code, snapshot=sample.snapshot, listed_after=3600)
    gate.post(event)
    one_verdict(gate, message_id, "commit-file-bad")


def test_a_notification_that_turns_out_to_wait_is_answered(gate: RunningDwgate) -> None:
    """The same without the ID of a check process: the reconciler takes up the ignored event."""
    gate.emulator.clear_faults()
    message_id, event, sample = gate.sample("commit-file-bad", blocking=False)
    del event["data"]["extensionBizId"]
    gate.post(event)
    assert wait_until_final(gate, message_id).state is State.IGNORED
    gate.start_process(message_id, sample)
    assert gate.verdict(message_id, 30)["result"] == sample.expected
    wait_for(lambda: (r := gate.ledger.get(message_id)) and r.state is State.REPORTED)
    assert len(gate.posts(message_id)) == 1


def test_what_waits_for_another_extension_is_left_alone(gate: RunningDwgate) -> None:
    """The channel of a workspace delivers the events of every extension."""
    gate.emulator.clear_faults()
    gate.emulator.set_profile("strict")
    message_id, event, sample = gate.sample("freeze-node-bad")
    event["data"]["projectId"] = 4711
    gate.emulator.start_process(message_id, sample.event_code, project_id=4711, extension="another")
    gate.post(event)
    assert wait_until_final(gate, message_id).state is State.IGNORED
    gate.emulator.set_profile("lenient")
    assert gate.emulator.verdicts(message_id) == []


def wait_until_ended(gate: RunningDwgate, message_id: str) -> str:
    """Wait until an event is answered or dead, in time; return which. The reconciler may revive it later."""

    def look() -> tuple[str, float] | None:
        record = gate.ledger.get(message_id)
        steps = record.timeline if record else ()
        found = (step for step in steps if step.kind in {State.DEAD, State.REPORTED})
        step = next(found, None)
        return (step.kind, step.at - record.deadline_at) if record and step else None

    ended = wait_for(look, 60)
    assert ended
    assert ended[1] < SETTLE_SECONDS
    return ended[0]


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["drip", "flood"])
def test_a_response_that_never_ends_leaves_no_event_undecided(gate: RunningDwgate, kind: str) -> None:
    """Within moments of the deadline the event is dead, with an alert: httpbin 642, toxiproxy "slicer"."""
    gate.emulator.clear_faults()
    gate.emulator.set_profile("lenient")
    name = "run-file-bad"
    message_id, event, sample = gate.sample(name)
    gate.emulator.fault(kind, action=result_operation(name), message_id=message_id, times=None)
    gate.start_process(message_id, sample)
    gate.post(event)
    assert wait_until_ended(gate, message_id) == State.DEAD
    wait_for(lambda: any("event_dead" in line and message_id in line for line in gate.logs().splitlines()))
    gate.emulator.clear_faults()
    assert gate.verdict(message_id, 30)["result"] == "FAIL"


@pytest.mark.parametrize(
    ("action", "end"),
    [
        (result_operation("run-file-good"), State.DEAD),
        pytest.param("GetIDEEventDetail", State.REPORTED, marks=pytest.mark.faults),
    ],
)
def test_an_operation_that_hangs_does_not_delay_the_others(
    gate: RunningDwgate, action: str, end: State
) -> None:
    """It keeps its share of threads, connections and quota: shenyu 6667 (head-of-line blocking)."""
    gate.emulator.clear_faults()
    gate.emulator.set_profile("lenient")
    gate.emulator.fault("drip", action=action, times=None)
    hanging = [gate.send("run-file-good") for _ in range(HANGING_EVENTS)]
    wait_for(lambda: "operation_hangs" in gate.logs(), 30)
    others = [(name, gate.send(name)) for _ in range(10) for name in OTHERS]
    for name, message_id in others:
        one_verdict(gate, message_id, name)
    assert {wait_until_ended(gate, message_id) for message_id in hanging} == {end}
    gate.emulator.clear_faults()
