"""Faults of the OpenAPI: retried within the deadline, and always exactly one verdict."""

from __future__ import annotations

from typing import Any

import pytest

from common.extension_points import BY_CODE
from common.ledger import State
from tests.support.running_dwgate import SAMPLES, RunningDwgate, wait_for, wait_until_final

NAMES = ("commit-file-bad", "freeze-node-bad")


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
    assert posts[0]["at"] < record.deadline_at
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
