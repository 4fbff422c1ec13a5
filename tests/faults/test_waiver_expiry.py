"""A waiver that expires while an event is queued: the same answer of workers, `replay` and `policy test`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from common.ledger import EventRecord
from tests.conftest import Broker
from tests.support.engines import Valkey
from tests.support.running_dwgate import RunningDwgate, fleet, wait_for, wait_until_final

EVENTS = 20
"""Of each of the two points."""

EXPIRING, LASTING = "freeze-node", "unfreeze-node"
CLOSED = {"checks": {"release-window": {"options": {"closed": [{"from": "00:00"}]}}}}
POLICY = {"version": 1, "points": {EXPIRING: CLOSED, LASTING: CLOSED}}


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def waiver(point: str, expires_at: float) -> dict[str, Any]:
    fields = {"id": point, "check": "release-window", "scope": {"points": [point]}, "reason": "a test"}
    return {**fields, "owner": "19", "approver": "20", "expires_at": iso(expires_at)}


@pytest.fixture(scope="module")
def gate(engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDwgate]:
    """Ingest without a worker."""
    folder = tmp_path_factory.mktemp("expiry")
    (folder / "policy.yaml").write_text(json.dumps(POLICY))
    settings = {
        "DWGATE_POLICY_FILE": str(folder / "policy.yaml"),
        "DWGATE_WAIVERS_FILE": str(folder / "waivers.yaml"),
    }
    with fleet(engines[0].url, engines[1].url, folder, workers=0, settings=settings) as running:
        yield running


def dwgate(gate: RunningDwgate, *arguments: str) -> dict[str, Any]:
    """Run a command and return its JSON."""
    command = [sys.executable, "-m", "console.main", *arguments, "--json"]
    done = subprocess.run(
        command,
        env=gate.environment,
        cwd=gate.directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr or done.stdout
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def results_by_point(records: dict[str, EventRecord]) -> dict[str, set[str]]:
    results: dict[str, set[str]] = {EXPIRING: set(), LASTING: set()}
    for record in records.values():
        assert record.accepted_verdict
        results[record.event.event_code].add(record.accepted_verdict.result)
    return results


def case(point: str, at: float, verdict: str) -> dict[str, Any]:
    event = {"code": point, "at": iso(at), "data": {"nodeIds": [1]}}
    expected = {"verdict": verdict, "findings": ["release-window"]}
    return {"name": f"{point} at {at}", "event": event, "lookups": {"nodes": {"1": {}}}, "expect": expected}


@pytest.mark.faults
def test_the_time_of_the_evaluation_counts_everywhere(gate: RunningDwgate) -> None:
    """kyverno 17473: the expiry was ignored in some of the places that match exceptions."""
    waivers = Path(gate.environment["DWGATE_WAIVERS_FILE"])
    sent = [gate.send(f"{point}-good") for point in (EXPIRING, LASTING) for _ in range(EVENTS)]
    expiry = time.time() + 0.1
    items = [waiver(EXPIRING, expiry), waiver(LASTING, expiry + 3600)]
    waivers.write_text(json.dumps({"version": 1, "waivers": items}))
    wait_for(lambda: time.time() >= expiry)
    gate.start_worker()

    records = {message_id: wait_until_final(gate, message_id, 40) for message_id in sent}
    assert all(record.event.received_at < expiry for record in records.values())
    assert results_by_point(records) == {EXPIRING: {"FAIL"}, LASTING: {"OK"}}
    assert all(len(gate.posts(message_id)) == 1 for message_id in sent)

    replay = dwgate(gate, "replay", "--since", "1h", "--policy", gate.environment["DWGATE_POLICY_FILE"])
    replayed = {item["message_id"]: (item["previous"], item["new"]) for item in replay["events"]}
    assert set(replayed) == set(sent)
    assert {pair for pair in replayed.values() if pair[0] != pair[1]} == set()

    cases = gate.directory / "cases.yaml"
    moments = (
        (EXPIRING, expiry - 0.01, "OK"),
        (EXPIRING, expiry, "FAIL"),
        (LASTING, expiry, "OK"),
    )
    cases.write_text(json.dumps({"cases": [case(*each) for each in moments]}))
    names = ("--policy", gate.environment["DWGATE_POLICY_FILE"], "--waivers", str(waivers))
    dwgate(gate, "policy", "test", str(cases), *names)
