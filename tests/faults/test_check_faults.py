"""Plug-in checks that raise, loop, hang or kill their process: the others finish, and the policy decides."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from common.ledger import EventRecord, State
from common.verdicts import OutcomeKind
from tests.conftest import Broker
from tests.support.engines import Valkey
from tests.support.plugin_package import write_plugin
from tests.support.running_dwgate import RunningDwgate, fleet, wait_until_final

CHECKS = '''
import collections, itertools, os, signal, time
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

@check("stalls", runs=Runs.CPU)
def stalls(context):
    """Stall in C code, which sees no exception."""
    collections.deque(itertools.repeat(0), maxlen=0)

@check("hogs", runs=Runs.CPU)
def hogs(context):
    """Allocate a GiB."""
    bytearray(2**30)
    return []

@check("clings", runs=Runs.CPU)
def clings(context):
    """Loop for ever and catch every failure."""
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

@check("queries", runs=Runs.IO)
def queries(context):
    """Raise in a check that only queries DataWorks."""
    raise ValueError("SELECT secret_of_the_node")

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
  commit-file:
    checks:
      raises: {on_unreviewable: ok}
      queries: {on_error: ok}
      code-review: {}
      inline-raises: {on_unreviewable: ok}
  deploy-file: {deadline: 60, checks: {loops: {on_unreviewable: ok}, code-review: {}}}
  run-file: {deadline: 60, checks: {clings: {on_unreviewable: warn}, code-review: {}}}
  undeploy-node: {deadline: 60, checks: {stalls: {on_error: ok, on_timeout: ok}}}
  commit-table: {deadline: 60, checks: {kills: {on_unreviewable: warn}, raises: {on_unreviewable: ok}}}
  deploy-table: {deadline: 60, checks: {hogs: {}}}
  delete-file: {deadline: 10, checks: {hangs: {on_timeout: fail}, release-window: {}}}
  freeze-node: {deadline: 60, checks: {kills: {}, downstream-impact: {}}}
  unfreeze-node: {checks: {raises: {mode: audit}}}
"""


@pytest.fixture(scope="module")
def gate(engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDwgate]:
    folder = tmp_path_factory.mktemp("checks")
    package = write_plugin(folder / "package", "foreign_checks", CHECKS, group="dwgate.checks")
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
    assert record.outcomes["raises"].kind is OutcomeKind.UNREVIEWABLE
    assert record.outcomes["inline-raises"].kind is OutcomeKind.UNREVIEWABLE
    assert record.outcomes["queries"].kind is OutcomeKind.ERROR
    assert record.outcomes["code-review"].findings
    assert "secret_of_the_node" not in gate.logs()
    assert "secret_of_the_node" not in str(record)


def test_in_audit_mode_the_outcome_is_recorded_and_counts_as_ok(gate: RunningDwgate) -> None:
    result, record = answered(gate, "unfreeze-node-good")
    assert result == "OK"
    assert record.outcomes["raises"].kind is OutcomeKind.UNREVIEWABLE


def test_a_check_that_loops_is_ended_and_the_others_count(gate: RunningDwgate) -> None:
    result, record = answered(gate, "deploy-file-good", 60)
    assert result == "OK"
    assert record.outcomes["loops"].kind is OutcomeKind.UNREVIEWABLE
    assert record.outcomes["code-review"].kind is OutcomeKind.PASSED


def test_a_check_that_stalls_in_c_is_killed_and_fails(gate: RunningDwgate) -> None:
    result, record = answered(gate, "undeploy-node-good", 60)
    assert result == "FAIL"
    assert record.outcomes["stalls"].kind is OutcomeKind.UNREVIEWABLE
    assert record.attempts["stalls"] == 2, "the trial, and once with the whole time limit"


def test_a_check_that_needs_too_much_memory_fails(gate: RunningDwgate) -> None:
    result, record = answered(gate, "deploy-table-good", 60)
    assert result == "FAIL"
    assert record.outcomes["hogs"].detail == "it needs too much memory"
    assert record.attempts["hogs"] <= 2, "in the trial if that suffices, else once with the whole time limit"


@pytest.mark.faults
def test_a_check_that_catches_every_failure_is_ended_too(gate: RunningDwgate) -> None:
    result, record = answered(gate, "run-file-good", 60)
    assert result == "WARN"
    assert record.outcomes["clings"].kind is OutcomeKind.UNREVIEWABLE
    assert record.outcomes["code-review"].kind is OutcomeKind.PASSED


def test_a_check_that_hangs_counts_as_timed_out_before_the_deadline(gate: RunningDwgate) -> None:
    result, record = answered(gate, "delete-file-good")
    assert result == "FAIL"
    assert record.outcomes["hangs"].kind is OutcomeKind.TIMED_OUT
    assert record.outcomes["release-window"].kind is OutcomeKind.PASSED


def test_a_check_that_kills_its_worker_is_unreviewable(gate: RunningDwgate) -> None:
    result, record = answered(gate, "freeze-node-good", 60)
    assert result == "FAIL"
    assert record.outcomes["kills"].kind is OutcomeKind.UNREVIEWABLE
    assert record.outcomes["downstream-impact"].kind is OutcomeKind.PASSED


@pytest.mark.faults
def test_a_check_that_kills_its_worker_does_not_affect_later_ones(gate: RunningDwgate) -> None:
    result, record = answered(gate, "commit-table-good", 60)
    assert result == "WARN"
    assert record.outcomes["kills"].kind is OutcomeKind.UNREVIEWABLE
    assert record.outcomes["raises"].kind is OutcomeKind.UNREVIEWABLE
    assert record.attempts["raises"] < record.attempts["kills"]


def test_after_all_that_the_worker_still_works(gate: RunningDwgate) -> None:
    result, _ = answered(gate, "commit-file-good")
    assert result == "OK"
