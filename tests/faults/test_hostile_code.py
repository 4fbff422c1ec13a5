"""Node code on which a review rule never returns: it fails in time, and other events are answered."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.ledger import EventRecord, State
from common.verdicts import OutcomeKind
from emulator.eventbridge import event_bodies
from tests.conftest import Broker
from tests.support.emulator_process import PROJECT_ID
from tests.support.engines import Valkey
from tests.support.plugin_package import write_plugin
from tests.support.running_dwgate import ACCOUNT, SAMPLES, RunningDwgate, fleet, wait_until_final

RULES = '''
"""Rules of another package."""

import collections
import itertools

from dwgate.rules import ANY, Severity, Text, rule


@rule("STALL-C01", "stall", Severity.WARN, dialects=ANY, fix=Text("Wait.", "等待。"))
def stall(subject, options):
    """Stall on code with a marker, in one call of C code.

    ## What it does
    It stalls.

    ## Why
    For a test.
    """
    if "stall_here" in subject.script.code:
        collections.deque(itertools.repeat(0), maxlen=0)
    return ()
'''

HOSTILE = {
    10: "DELETE FROM shop.dwd_trade_order_di;\n-- stall_here\n",
    6: "odpscmd -e 'DELETE FROM shop.dwd_trade_order_di;'\n# stall_here\n",
    1221: "o.execute_sql('DELETE FROM shop.dwd_trade_order_di')\n# stall_here\n",
}
"""Code with a finding that blocks, by the number of its node type: SQL, shell, Python."""


@pytest.fixture(scope="module")
def gate(engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDwgate]:
    folder = tmp_path_factory.mktemp("hostile")
    package = write_plugin(folder / "package", "stalling_rules", RULES, group="dwgate.rules")
    with fleet(engines[0].url, engines[1].url, folder, settings={"PYTHONPATH": str(package)}) as running:
        yield running


def send_code(gate: RunningDwgate, code: str, file_type: int) -> str:
    """Commit code as a file of a node type, in a workspace of its own; return the message id."""
    sample = SAMPLES["commit-file-good"]
    workspace = PROJECT_ID + file_type
    data = {**copy.deepcopy(sample.data), "projectId": workspace}
    event = event_bodies.event_envelope(sample.event_code, data, account_id=ACCOUNT, now=time.time())
    snapshot = copy.deepcopy(sample.snapshot or {})
    snapshot["CommittedFile"] |= {"Content": code, "FileType": file_type}
    message_id = str(event["id"])
    gate.emulator.start_process(message_id, sample.event_code, project_id=workspace, snapshot=snapshot)
    assert gate.post(event).status_code == 200
    return message_id


def reported(gate: RunningDwgate, message_id: str) -> tuple[str, EventRecord]:
    result = gate.verdict(message_id, 60)["result"]
    record = wait_until_final(gate, message_id)
    assert record.state is State.REPORTED
    return result, record


@pytest.mark.parametrize(
    "file_type", [10, *(pytest.param(other, marks=pytest.mark.faults) for other in (6, 1221))]
)
def test_it_fails_before_the_deadline_and_others_are_answered(gate: RunningDwgate, file_type: int) -> None:
    hostile = send_code(gate, HOSTILE[file_type], file_type)
    others = [gate.send(name) for name in ("commit-file-good", "freeze-node-bad", "run-file-bad")]
    results = [reported(gate, message_id) for message_id in others]
    assert [result for result, _ in results] == ["OK", "FAIL", "FAIL"]

    result, record = reported(gate, hostile)
    assert result == "FAIL"
    assert record.verdict
    assert record.verdict.reason == "complete"
    assert record.outcomes["code-review"].kind is OutcomeKind.UNREVIEWABLE
    assert "code-review" in record.verdict.tip
    assert "time limit" in record.verdict.tip
    assert all((found.reported_at or 0) < (record.reported_at or 0) for _, found in results)


@pytest.mark.faults
def test_on_redis_as_the_broker_it_fails_as_well(clean_redis_url: str, tmp_path: Path) -> None:
    package = write_plugin(tmp_path / "package", "stalling_rules", RULES, group="dwgate.rules")
    settings = {"PYTHONPATH": str(package)}
    with fleet(clean_redis_url, clean_redis_url, tmp_path, settings=settings) as running:
        result, record = reported(running, send_code(running, HOSTILE[10], 10))
    assert result == "FAIL"
    assert record.outcomes["code-review"].kind is OutcomeKind.UNREVIEWABLE
