"""A process of a real worker that makes no progress is replaced; waiting for engines is no such fault."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.support.engines import Valkey, free_port
from tests.support.running_dwgate import RunningDwgate, fleet, wait_for
from workers.process.health import PROGRESS_SECONDS

STALL_SECONDS = PROGRESS_SECONDS + 4
"""Long enough for the health to show it before the process is replaced."""

CHECKS = '''
import re
from workers.checks.api import Runs
from workers.checks.registry import check

@check("blocks", runs=Runs.INLINE)
def blocks(context):
    """Hold the interpreter's lock for ever."""
    re.match("(a+)+$", "a" * 64 + "b")
    return []

@check("loops", runs=Runs.INLINE)
def loops(context):
    """Compute for ever in one of many threads."""
    while True:
        pass

@check("computes", runs=Runs.IO)
def computes(context):
    """Compute for ever in a check that may wait."""
    while True:
        pass
'''

POLICY = """
version: 1
defaults: {deadline: 10}
points:
  freeze-node: {checks: {blocks: {on_timeout: fail}}}
  unfreeze-node: {checks: {loops: {on_timeout: fail}}}
  undeploy-node: {checks: {computes: {on_timeout: fail}}}
  delete-file: {deadline: 60, checks: {release-window: {}, downstream-impact: {}}}
"""

WORKER = f"""
import sys
from console.main import main
from workers.process import supervisor
supervisor.STALL_SECONDS = {STALL_SECONDS}
main()
"""


@pytest.fixture
def gate(clean_redis_url: str, tmp_path: Path) -> Iterator[RunningDwgate]:
    package = tmp_path / "package"
    info = package / "foreign_checks-1.0.dist-info"
    info.mkdir(parents=True)
    (package / "foreign_checks.py").write_text(CHECKS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-checks\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dwgate.checks]\nforeign = foreign_checks\n")
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    settings = {"DWGATE_POLICY_FILE": str(policy), "PYTHONPATH": str(package)}
    with fleet(clean_redis_url, clean_redis_url, tmp_path, workers=0, settings=settings) as running:
        yield running


def start(gate: RunningDwgate) -> str:
    """Start a worker that waits STALL_SECONDS for progress, and return the URL that it serves."""
    port = free_port()
    with (gate.directory / "impatient.log").open("ab") as log:
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, "worker", "--processes", "1", "--metrics-port", str(port)],
            env=gate.environment,
            cwd=gate.directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    gate.workers.append(worker)
    wait_for(lambda: len(gate.ledger.membership.workers()) == 6, 40)
    return f"http://127.0.0.1:{port}"


def pids(gate: RunningDwgate) -> dict[str, int]:
    """Return the worker's processes by name; a pool's processes have the name of their parent, the oldest."""
    found: list[tuple[float, str, int]] = []
    for child in psutil.Process(gate.workers[-1].pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # a process of a pool that has ended since it was listed
            found.append((-child.create_time(), child.name(), child.pid))
    return {name: pid for _, name, pid in sorted(found) if name.startswith("dwgate-")}


@pytest.mark.faults
@pytest.mark.parametrize(
    "sample",
    [
        "freeze-node-good",
        "unfreeze-node-good",
        "undeploy-node-good",
    ],
)
def test_a_process_that_computes_for_ever_is_replaced(gate: RunningDwgate, sample: str) -> None:
    url = start(gate)
    before = pids(gate)
    stuck = gate.send(sample)
    wait_for(lambda: gate.http.get(f"{url}/healthz").text == "checks-io stalled\nintake stalled", 40)
    wait_for(lambda: pids(gate).get("dwgate-io", before["dwgate-io"]) != before["dwgate-io"], 40)
    assert {**pids(gate), "dwgate-io": 0} == {**before, "dwgate-io": 0}
    assert 'dwgate_processes_stalled_total{group="io"} 1.0' in gate.http.get(f"{url}/metrics").text
    assert "process_stalled" in gate.logs()

    assert gate.verdict(stuck)["result"] == "FAIL", "the watchdog answers it"
    assert gate.verdict(gate.send("delete-file-good"), 60)["result"] == "OK"
    wait_for(lambda: gate.http.get(f"{url}/healthz").text == "ok", 60)


@pytest.mark.faults
def test_an_outage_of_the_engines_or_a_slow_api_is_no_stall(gate: RunningDwgate, valkey: Valkey) -> None:
    url = start(gate)
    before = pids(gate)
    gate.emulator.fault("delay", times=None, seconds=2 * STALL_SECONDS)
    gate.send("delete-file-good")
    began = time.monotonic()
    wait_for(lambda: time.monotonic() > began + 1.5 * STALL_SECONDS, 60)
    gate.emulator.clear_faults()
    valkey.stop_process()
    try:
        began = time.monotonic()
        wait_for(lambda: time.monotonic() > began + 2 * STALL_SECONDS, 60)
    finally:
        valkey.resume()
    assert gate.http.get(f"{url}/healthz").text == "ok"
    assert pids(gate) == before
    assert gate.verdict(gate.send("delete-file-good"), 60)["result"] == "OK"
