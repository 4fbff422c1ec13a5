"""Faults of the far side: retried within the deadline, and one verdict whatever happens."""

from __future__ import annotations

from typing import Any

import pytest

from common.ledger import State
from common.points import BY_CODE
from tests.fleet import SAMPLES, Gate, ended, wait_for

NAMES = ("commit-file-bad", "freeze-node-bad")


@pytest.fixture(params=["lenient", "strict"])
def profile(gate: Gate, request: pytest.FixtureRequest) -> None:
    gate.emulator.clear_faults()
    gate.emulator.set_profile(request.param)


def one_verdict(gate: Gate, message_id: str, name: str) -> None:
    assert gate.verdict(message_id, 45)["result"] == SAMPLES[name].expected
    record = ended(gate, message_id, 45)
    assert record.state is State.REPORTED
    assert record.verdict
    assert record.missing == ()
    posts = gate.posts(message_id)
    assert {post["result"] for post in posts} == {record.verdict.result}
    assert posts[0]["at"] < record.deadline_at
    assert len(posts) == 1


def result_operation(name: str) -> str:
    return BY_CODE[SAMPLES[name].event_code].answer.value


@pytest.mark.usefixtures("profile")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["throttle", "error", "html", "reset", "lost"])
def test_a_fault_of_the_result_operation(gate: Gate, name: str, kind: str) -> None:
    message_id, event, sample = gate.sample(name)
    fields: dict[str, Any] = {"status": 500, "code": "InternalError.System"} if kind == "error" else {}
    gate.emulator.fault(kind, action=result_operation(name), message_id=message_id, times=2, **fields)
    gate.begin(message_id, sample)
    gate.post(event)
    one_verdict(gate, message_id, name)


@pytest.mark.usefixtures("profile")
@pytest.mark.parametrize("kind", ["throttle", "error", "reset", "html"])
def test_a_fault_of_the_lookups(gate: Gate, kind: str) -> None:
    fields: dict[str, Any] = {"status": 503, "code": "ServiceUnavailable"} if kind == "error" else {}
    for action in ("GetIDEEventDetail", "GetMetaTableLineage"):
        gate.emulator.fault(kind, action=action, times=4, **fields)
    message_id = gate.send("deploy-table-bad")
    one_verdict(gate, message_id, "deploy-table-bad")


@pytest.mark.usefixtures("profile")
def test_a_reply_that_never_comes_is_asked_about(gate: Gate) -> None:
    name = "commit-file-bad"
    message_id, event, sample = gate.sample(name)
    gate.emulator.fault("hang", action=result_operation(name), message_id=message_id, seconds=7)
    gate.begin(message_id, sample)
    gate.post(event)
    one_verdict(gate, message_id, name)


def test_a_verdict_that_cannot_be_posted_is_dead_and_then_answered_after_all(gate: Gate) -> None:
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
    gate.begin(message_id, sample)
    gate.post(event)
    wait_for(lambda: (r := gate.ledger.get(message_id)) and r.state is State.DEAD, 45)
    gate.emulator.clear_faults()

    assert gate.verdict(message_id, 30)["result"] == "FAIL"  # the reconciler found it waiting
    wait_for(lambda: (r := gate.ledger.get(message_id)) and r.state is State.REPORTED)
