"""The process that makes the lookups of others is killed while one waits for its reply."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import psutil
import pytest

from tests.conftest import Broker
from tests.support.engines import Valkey
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final

NAME = "deploy-file-bad"
LOOKUP = "GetMetaTableFullInfo"
WITHOUT_CREDENTIALS = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "",
    "DWGATE_OPENAPI_ENDPOINT": "127.0.0.1:1",
}


@pytest.fixture(scope="module")
def gate(engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDwgate]:
    """A worker for CPU-bound checks, without credentials, and one for everything else."""
    broker, valkey = engines
    with fleet(broker.url, valkey.url, tmp_path_factory.mktemp("lookups"), workers=0) as running:
        with_credentials = dict(running.environment)
        running.environment |= WITHOUT_CREDENTIALS
        running.start_worker("--role", "checks-cpu", "--processes", "1")
        running.environment |= with_credentials
        roles = ("intake", "checks-io", "reporter", "watchdog")
        running.start_worker(*(part for role in roles for part in ("--role", role)))
        yield running


def io_process(gate: RunningDwgate) -> psutil.Process:
    """Return the process that serves lookups."""
    (found,) = (
        process
        for process in psutil.Process(gate.workers[1].pid).children(recursive=True)
        if process.name() == "dwgate-io"
    )
    return found


def test_another_process_makes_the_lookup_of_a_killed_one(gate: RunningDwgate) -> None:
    """The kernel ends it for its memory in the middle of a call; its check waits, and gets its response."""
    gate.emulator.fault("hang", action=LOOKUP, times=1, seconds=30)
    before = gate.emulator.state()["calls"].get(LOOKUP, 0)
    message_id = gate.send(NAME)
    wait_for(lambda: gate.emulator.state()["calls"].get(LOOKUP, 0) > before)
    os.kill(io_process(gate).pid, signal.SIGKILL)
    assert gate.verdict(message_id, 45)["result"] == SAMPLES[NAME].expected
    record = wait_until_final(gate, message_id)
    assert record.verdict
    assert "MC-P01" in {item.rule for item in record.outcomes["code-review"].findings}
    assert {name for name, outcome in record.outcomes.items() if outcome.kind == "error"} == set()
    posts = gate.posts(message_id)
    assert len(posts) == 1
    assert posts[0]["at"] < record.deadline_at
