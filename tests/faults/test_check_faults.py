"""Plug-in checks that raise, loop, hang or kill their process: the others finish, and the policy decides."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from common.ledger import EventRecord, State
from common.verdicts import OutcomeKind
from tests.conftest import Broker
from tests.support.engines import Valkey
from tests.support.running_dwgate import RunningDwgate, fleet, wait_until_final

CHECKS = '''
import os, signal, time
from workers.checks.api import Runs
from workers.checks.registry import check

@check("raises", runs=Runs.CPU)
def raises(context):
    """Raise an error whose text contains code."""
    raise ValueError("SELECT secret_of_the_node")

@check("loops", runs=Runs.CPU)
def loops(context):
    """Loop for ever."""
    while True:
        pass

@check("clings", runs=Runs.CPU)
def clings(context):
    """Loop for ever and ignore the soft time limit."""
    while True:
        try:
            while True:
                pass
        except Exception:
            pass

@check("hangs", runs=Runs.IO)
def hangs(context):
    """Wait longer than the deadline."""
    time.sleep(25)
    return []

@check("kills", runs=Runs.CPU)
def kills(context):
    """Kill the process on each attempt."""
    os.kill(os.getpid(), signal.SIGKILL)
    return []

@check("inline-raises", runs=Runs.INLINE)
def inline_raises(context):
    """Raise within intake."""
    raise RuntimeError("inline")
'''

POLICY = """
version: 1
defaults: {deadline: 20}
points:
  commit-file: {checks: {raises: {on_error: ok}, code-review: {}, inline-raises: {on_error: ok}}}
  deploy-file: {deadline: 10, checks: {loops: {on_timeout: ok}, code-review: {}}}
  run-file: {deadline: 10, checks: {clings: {on_timeout: warn}, code-review: {}}}
  commit-table: {deadline: 60, checks: {kills: {on_error: warn}, raises: {on_error: ok}}}
  delete-file: {deadline: 10, checks: {hangs: {on_timeout: fail}, release-window: {}}}
  freeze-node: {deadline: 60, checks: {kills: {on_error: fail}, downstream-impact: {}}}
  unfreeze-node: {checks: {raises: {on_error: fail, mode: audit}}}
"""


@pytest.fixture(scope="module")
def gate(engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDwgate]:
    folder = tmp_path_factory.mktemp("checks")
    package = folder / "package"
    info = package / "foreign_checks-1.0.dist-info"
    info.mkdir(parents=True)
    (package / "foreign_checks.py").write_text(CHECKS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-checks\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dwgate.checks]\nforeign = foreign_checks\n")
    policy = folder / "policy.yaml"
    policy.write_text(POLICY)
    settings = {"DWGATE_POLICY_FILE": str(policy), "PYTHONPATH": str(package)}
    with fleet(engines[0].url, engines[1].url, folder, settings=settings) as running:
        yield running


def answered(gate: RunningDwgate, name: str, seconds: float = 40) -> tuple[str, EventRecord]:
    message_id = gate.send(name)
    result = gate.verdict(message_id, seconds)["result"]
    record = wait_until_final(gate, message_id)
    assert record.state is State.REPORTED
    assert record.reported_at
    assert record.reported_at < record.deadline_at
    assert len(gate.posts(message_id)) == 1
    return result, record


def test_a_check_that_raises_counts_as_the_policy_says_and_leaks_no_code(gate: RunningDwgate) -> None:
    result, record = answered(gate, "commit-file-bad")
    assert result == "FAIL"
    assert record.outcomes["raises"].kind is OutcomeKind.ERROR
    assert record.outcomes["inline-raises"].kind is OutcomeKind.ERROR
    assert record.outcomes["code-review"].findings
    assert "secret_of_the_node" not in gate.logs()
    assert "secret_of_the_node" not in str(record)


def test_in_audit_mode_an_error_is_recorded_and_counts_as_ok(gate: RunningDwgate) -> None:
    result, record = answered(gate, "unfreeze-node-good")
    assert result == "OK"
    assert record.outcomes["raises"].kind is OutcomeKind.ERROR


def test_a_check_that_loops_is_ended_and_the_others_count(gate: RunningDwgate) -> None:
    result, record = answered(gate, "deploy-file-good")
    assert result == "OK"
    assert record.outcomes["loops"].kind is OutcomeKind.TIMED_OUT
    assert record.outcomes["code-review"].kind is OutcomeKind.PASSED


def test_a_check_that_ignores_the_soft_time_limit_is_killed(gate: RunningDwgate) -> None:
    result, record = answered(gate, "run-file-good")
    assert result == "WARN"
    assert "clings" not in record.outcomes or record.outcomes["clings"].kind is OutcomeKind.TIMED_OUT
    assert record.outcomes["code-review"].kind is OutcomeKind.PASSED


def test_a_check_that_hangs_counts_as_timed_out_before_the_deadline(gate: RunningDwgate) -> None:
    result, record = answered(gate, "delete-file-good")
    assert result == "FAIL"
    assert "hangs" in record.pending_checks
    assert record.verdict
    assert record.verdict.reason == "deadline"


def test_a_check_that_kills_its_worker_is_an_error(gate: RunningDwgate) -> None:
    result, record = answered(gate, "freeze-node-good", 60)
    assert result == "FAIL"
    assert record.outcomes["kills"].kind is OutcomeKind.ERROR
    assert record.outcomes["downstream-impact"].kind is OutcomeKind.PASSED


def test_a_check_that_kills_its_worker_does_not_affect_later_ones(gate: RunningDwgate) -> None:
    result, record = answered(gate, "commit-table-good", 60)
    assert result == "WARN"
    assert record.outcomes["kills"].kind is OutcomeKind.ERROR
    assert record.outcomes["raises"].kind is OutcomeKind.ERROR
    assert record.attempts["raises"] < record.attempts["kills"]


def test_after_all_that_the_worker_still_works(gate: RunningDwgate) -> None:
    result, _ = answered(gate, "commit-file-good")
    assert result == "OK"
