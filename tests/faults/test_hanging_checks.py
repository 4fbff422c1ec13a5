"""Checks of plug-ins that hang in a thread: a sleep, a socket without a timeout. Only their events notice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from common.ledger import EventRecord
from common.verdicts import OutcomeKind
from tests.conftest import Broker, built_in_policy
from tests.support.engines import Valkey, free_port
from tests.support.plugin_package import write_plugin
from tests.support.running_dwgate import RunningDwgate, fleet, wait_for, wait_until_final

CHECKS = '''
import socket, time
from workers.checks.api import Runs
from workers.checks.registry import check

@check("sleeps", points=("review-file", "commit-file"), runs=Runs.INLINE, needs_snapshot=True)
def sleeps(context):
    """Sleep for an hour."""
    time.sleep(3600)
    return []

@check("waits", points=("unfreeze-node",), runs=Runs.IO)
def waits(context):
    """Wait for a server that never answers, without a timeout."""
    server = socket.create_server(("127.0.0.1", 0))
    socket.create_connection(server.getsockname()).recv(1)
    return []
'''

HUNG = 40


@pytest.fixture(scope="module")
def gate(engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDwgate]:
    folder = tmp_path_factory.mktemp("hanging")
    package = write_plugin(folder / "package", "hanging_checks", CHECKS, group="dwgate.checks")
    policy = folder / "policy.yaml"
    policy.write_text(
        built_in_policy()
        .replace("commit-file: &code\n    checks: {", "commit-file:\n    checks: {sleeps: {}, ")
        .replace("deploy-file: *code", "deploy-file: {checks: {code-review: {}, change-impact: {}}}")
        .replace("start-surge: {}", "start-surge: {}, waits: {on_timeout: fail}")
    )
    settings = {"DWGATE_POLICY_FILE": str(policy), "PYTHONPATH": str(package)}
    with fleet(engines[0].url, engines[1].url, folder, workers=0, settings=settings) as running:
        yield running


def answered(gate: RunningDwgate, message_id: str) -> EventRecord:
    gate.verdict(message_id, 60)
    [post] = gate.posts(message_id)
    record = wait_until_final(gate, message_id)
    assert post["at"] < record.deadline_at, record.timeline
    return record


def test_checks_that_hang_affect_their_own_events_only(gate: RunningDwgate) -> None:
    """Threads cannot be ended by a time limit: celery 9203, dramatiq 211."""
    port = free_port()
    gate.start_worker("--processes", "1", "--metrics-port", str(port))
    url = f"http://127.0.0.1:{port}"
    hung = [gate.send("commit-file-good") for _ in range(HUNG)]
    waiting = gate.send("unfreeze-node-good")
    others = {
        name: gate.send(name)
        for name in (
            "freeze-node-good",
            "freeze-node-bad",
            "run-file-good",
            "run-file-bad",
            "deploy-file-bad",
        )
    }
    for name, message_id in others.items():
        record = answered(gate, message_id)
        assert record.verdict
        assert record.verdict.result == ("FAIL" if name.endswith("bad") else "OK"), record.timeline
        assert record.pending_checks == ()
    for message_id in hung:
        record = answered(gate, message_id)
        assert record.verdict
        assert record.verdict.result == "FAIL"
        assert record.outcomes["sleeps"].kind is OutcomeKind.UNREVIEWABLE
    record = answered(gate, waiting)
    assert record.outcomes["waits"].kind is OutcomeKind.TIMED_OUT
    assert record.verdict
    assert record.verdict.result == "FAIL", "on_timeout"

    health = wait_for(
        lambda: (text := gate.http.get(f"{url}/healthz").text).startswith("ok\nchecks") and text
    )
    assert int(str(health).rpartition(" ")[2]) >= 2
    assert 'dwgate_checks_hung_total{check="sleeps"}' in gate.http.get(f"{url}/metrics").text
    assert gate.logs().count("process_stalled") == 0
