"""Workspaces do not delay or weaken the verdicts of one another, whatever one of them commits."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator

import pytest

from common.ledger import EventRecord
from common.verdicts import OutcomeKind
from emulator.eventbridge import event_bodies
from tests.conftest import Broker, built_in_policy
from tests.support.emulator_process import PROJECT_ID
from tests.support.engines import Valkey
from tests.support.plugin_package import write_plugin
from tests.support.running_dwgate import ACCOUNT, SAMPLES, RunningDwgate, fleet, wait_until_final

HOSTILE_WORKSPACE = PROJECT_ID + 1
HOSTILE_COMMITS = 14
DEADLINE_SECONDS = 40

RULES = '''
"""Rules of another package."""

from dwgate.rules import ANY, Severity, Text, rule


@rule("STALL-C02", "stall-forever", Severity.WARN, dialects=ANY, fix=Text("Wait.", "等待。"))
def stall(subject, options):
    """Compute for ever on code with a marker.

    ## What it does
    It stalls.

    ## Why
    For a test.
    """
    while "stall_here" in subject.script.code:
        pass
    return ()
'''


@pytest.fixture(params=["rabbitmq", "redis"])
def gate(
    request: pytest.FixtureRequest,
    engines: tuple[Broker, Valkey],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningDwgate]:
    folder = tmp_path_factory.mktemp("tenants")
    package = write_plugin(folder / "package", "stalling_rules", RULES, group="dwgate.rules")
    policy = folder / "policy.yaml"
    policy.write_text(built_in_policy().replace("deadline: 60 #", f"deadline: {DEADLINE_SECONDS} #"))
    settings = {"PYTHONPATH": str(package), "DWGATE_POLICY_FILE": str(policy)}
    broker = engines[0] if request.param == "rabbitmq" else engines[1]
    with fleet(broker.url, engines[1].url, folder, workers=0, settings=settings) as running:
        running.start_worker("--processes", "2")
        yield running


def commit(gate: RunningDwgate, name: str, workspace: int, more_code: str = "") -> str:
    """Commit a sample with more code in a workspace; return the message id."""
    sample = SAMPLES[name]
    data = {**copy.deepcopy(sample.data), "projectId": workspace}
    event = event_bodies.event_envelope(sample.event_code, data, account_id=ACCOUNT, now=time.time())
    snapshot = copy.deepcopy(sample.snapshot or {})
    snapshot["CommittedFile"]["Content"] += more_code
    message_id = str(event["id"])
    gate.emulator.start_process(message_id, sample.event_code, project_id=workspace, snapshot=snapshot)
    assert gate.post(event).status_code == 200
    return message_id


def reported(gate: RunningDwgate, message_id: str) -> tuple[str, EventRecord]:
    result = gate.verdict(message_id, 90)["result"]
    return result, wait_until_final(gate, message_id)


@pytest.mark.faults
def test_the_worst_commits_of_one_workspace_change_no_verdict_of_another(gate: RunningDwgate) -> None:
    hostile = [
        commit(gate, "commit-file-bad", HOSTILE_WORKSPACE, f"\n-- stall_here {number}\n")
        for number in range(HOSTILE_COMMITS)
    ]
    names = ("commit-file-good", "commit-file-bad") * 4
    others = [(name, commit(gate, name, PROJECT_ID, f"\n-- {number}\n")) for number, name in enumerate(names)]
    for name, message_id in others:
        result, record = reported(gate, message_id)
        assert result == SAMPLES[name].expected
        assert record.slow_checks == {}
        assert record.verdict
        assert record.verdict.reason == "complete"

    ends = [reported(gate, message_id) for message_id in hostile]
    assert {result for result, _ in ends} == {"FAIL"}, "its author gains nothing from a full queue"
    for _, record in ends:
        assert record.slow_checks["code-review"] in ("limit", "killed", "budget", "input")
        review = record.outcomes.get("code-review")
        assert review is None or review.kind in (OutcomeKind.UNREVIEWABLE, OutcomeKind.TIMED_OUT)
        assert (record.reported_at or 0) < record.deadline_at
