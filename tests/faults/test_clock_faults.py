"""Machines whose clock is wrong or jumps: the same verdicts, in time. celery 2166 and 1980."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from common.ledger import State
from tests.conftest import Broker, built_in_policy
from tests.support.engines import Valkey, free_port
from tests.support.fake_clock import FakeClock
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final

NAMES = ("commit-file-bad", "freeze-node-good", "freeze-node-bad", "run-file-good", "unfreeze-node-good")
JUMPS = [
    600,
    -3600,
    *(pytest.param(seconds, marks=pytest.mark.faults) for seconds in (25, -25, -600, 3600)),
]


def open_now() -> str:
    """Return options of release-window by which operations are allowed from now on for some minutes only."""
    now = datetime.now(UTC)
    start, end = now - timedelta(minutes=2), now + timedelta(minutes=8)
    exception = f"{{who: '*', from: '{start:%FT%T}+00:00', until: '{end:%FT%T}+00:00', reason: test}}"
    days = "[mon, tue, wed, thu, fri, sat, sun]"
    return f"release-window: {{options: {{closed: [{{days: {days}}}], exceptions: [{exception}]}}}}"


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> FakeClock:
    return FakeClock(tmp_path_factory.mktemp("clock") / "offset")


@pytest.fixture(scope="module")
def gate(
    engines: tuple[Broker, Valkey], clock: FakeClock, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDwgate]:
    """Ingest and one worker, both with the clock of the test."""
    folder = tmp_path_factory.mktemp("gate")
    policy = folder / "policy.yaml"
    text = built_in_policy()
    policy.write_text(
        text.replace("release-window: {}, downstream-impact", f"{open_now()}, downstream-impact")
    )
    settings = {"DWGATE_POLICY_FILE": str(policy), **clock.environment}
    with fleet(engines[0].url, engines[1].url, folder, workers=0, settings=settings) as running:
        running.metrics_port = free_port()
        running.start_worker("--metrics-port", str(running.metrics_port))
        yield running


def in_time(gate: RunningDwgate, message_id: str, name: str) -> None:
    assert gate.verdict(message_id, 40)["result"] == SAMPLES[name].expected
    record = wait_until_final(gate, message_id)
    assert record.state is State.REPORTED
    assert record.pending_checks == ()
    assert abs(record.event.received_at - record.admitted_at) < 15
    posts = gate.posts(message_id)
    assert len(posts) == 1
    assert posts[0]["at"] < record.deadline_at


@pytest.mark.parametrize("seconds", JUMPS)
def test_the_clock_of_a_machine_jumps(gate: RunningDwgate, clock: FakeClock, seconds: int) -> None:
    gate.emulator.fault("error", action="GetIDEEventDetail", times=1, status=500, code="InternalError.System")
    sent = [(gate.send(name), name) for name in NAMES]
    clock.set(seconds)
    sent += [(gate.send(name), name) for name in NAMES]
    for message_id, name in sent:
        in_time(gate, message_id, name)
    wait_for(lambda: abs(gate.metric("dwgate_clock_skew_seconds") - seconds) < 2)
    wait_for(lambda: any(abs(skew - seconds) < 2 for skew in gate.ledger.membership.skews().values()))
    assert "clock_off" in gate.logs()


def test_a_worker_starts_with_a_wrong_clock(gate: RunningDwgate, clock: FakeClock) -> None:
    gate.emulator.clear_faults()
    gate.kill(gate.workers[-1])
    clock.set(-3600)
    gate.start_worker("--metrics-port", str(gate.metrics_port))
    for name in NAMES:
        in_time(gate, gate.send(name), name)
