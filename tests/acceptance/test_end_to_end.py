"""Events through real processes on RabbitMQ and Valkey; verdicts are read from the emulator."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.extension_points import POINTS, ExtensionPoint, ResultOperation
from common.ledger import State
from emulator.eventbridge import event_bodies
from tests.support.emulator_process import PROJECT_ID
from tests.support.running_dwgate import ACCOUNT, SAMPLES, RunningDwgate, wait_until_final

NEWER = [point for point in POINTS if point.code not in {sample.event_code for sample in SAMPLES.values()}]
NOT_OK = {
    "delete-project": "FAIL",
    "download-resources": "WARN",
    "download-resources-execute": "WARN",
    "review-file": "WARN",  # the emulator has no file for it
}
"""Results of their examples under the built-in policy; all others are OK."""


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_sample_gets_its_verdict_once(gate: RunningDwgate, name: str) -> None:
    message_id = gate.send(name)
    verdict = gate.verdict(message_id)

    assert verdict["result"] == SAMPLES[name].expected
    assert len(gate.posts(message_id)) == 1
    record = wait_until_final(gate, message_id)
    assert record.state is State.REPORTED
    assert record.pending_checks == ()
    assert record.verdict
    assert verdict["tip"] == record.verdict.tip
    assert verdict["at"] < record.deadline_at


@pytest.mark.parametrize("point", NEWER, ids=lambda point: point.code)
def test_newer_extension_points_are_answered_by_their_own_operation(
    gate: RunningDwgate, point: ExtensionPoint
) -> None:
    code = point.code
    event = event_bodies.event_envelope(
        code, event_bodies.event_body(code), account_id=ACCOUNT, now=time.time()
    )
    gate.emulator.start_process(event["id"], code)
    assert gate.post(event).json()["status"] == "queued"

    verdict = gate.verdict(event["id"])
    assert verdict["result"] == NOT_OK.get(code, "OK")
    assert verdict["action"] == point.result_operation
    assert verdict["action"] in set(ResultOperation)


def test_the_same_event_five_times_at_once_gets_one_verdict(gate: RunningDwgate) -> None:
    message_id, event, sample = gate.sample("commit-file-bad")
    gate.start_process(message_id, sample)
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: gate.post(event), range(5)))

    statuses = [answer.json()["status"] for answer in answers]
    assert {answer.status_code for answer in answers} == {200}
    assert statuses.count("queued") == 1
    assert statuses.count("duplicate") == 4
    assert gate.verdict(message_id)["result"] == "FAIL"
    wait_until_final(gate, message_id)
    assert len(gate.posts(message_id)) == 1


def test_a_regular_copy_starts_no_second_check(gate: RunningDwgate) -> None:
    message_id, event, sample = gate.sample("commit-file-good")
    gate.start_process(message_id, sample)
    copy = event_bodies.regular_copy(event)
    assert gate.post(event).json()["status"] == "queued"
    assert gate.post(copy).json()["status"] == "queued"

    assert gate.verdict(message_id)["result"] == "OK"
    record = wait_until_final(gate, copy["id"])
    assert record.state is State.IGNORED
    assert record.planned_checks == ()
    assert gate.emulator.verdicts(copy["id"]) == []


def test_an_extension_point_event_with_block_business_false_is_answered(gate: RunningDwgate) -> None:
    message_id, event, sample = gate.sample("commit-file-bad", blocking=False)
    gate.start_process(message_id, sample)
    gate.post(event)
    assert gate.verdict(message_id)["result"] == "FAIL"


def test_a_plain_event_is_ignored(gate: RunningDwgate) -> None:
    _, event, _ = gate.sample("freeze-node-good")
    event["type"] = "dataworks:NodeChange:NodeChangeUpdated"
    answer = gate.post(event)
    assert (answer.status_code, answer.json()["status"]) == (200, "ignored")
    assert gate.ledger.get(event["id"]) is None


def test_an_operation_whose_event_never_arrived_is_answered(gate: RunningDwgate) -> None:
    message_id = str(uuid.uuid4())
    sample = SAMPLES["commit-file-bad"]
    gate.emulator.start_process(message_id, "commit-file", project_id=PROJECT_ID, snapshot=sample.snapshot)

    assert gate.verdict(message_id)["result"] == "FAIL"
    record = wait_until_final(gate, message_id)
    assert record.event.recovered
    assert record.outcomes["code-review"].findings


def test_a_recovered_operation_that_cannot_be_checked_is_no_silent_pass(gate: RunningDwgate) -> None:
    message_id = str(uuid.uuid4())
    gate.emulator.start_process(message_id, "delete-file", project_id=PROJECT_ID)

    verdict = gate.verdict(message_id)
    assert verdict["result"] == "WARN"
    assert "downstream-impact" in verdict["tip"]


def test_no_code_and_no_secret_is_in_any_log(gate: RunningDwgate) -> None:
    message_id = gate.send("commit-file-bad")
    gate.verdict(message_id)
    logs = gate.logs()

    assert message_id in logs
    for secret in (
        "MadeUpSecretOfTheShop",
        "dws_trade_user_1d",
        "token-of-the-tests",
        "test-secret",
        "made-up",
    ):
        assert secret not in logs
