"""Processes that stand still with a lease, or are killed: one verdict for each event, in time."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from common.ledger import State
from common.verdicts import Reason
from tests.conftest import Broker, built_in_policy
from tests.support.engines import Valkey
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final

NAME = "freeze-node-bad"
OPERATION = "UpdateWorkbenchEventResult"
DEADLINE = 15
"""Its margin is three seconds: one until the lease of the killed watchdog ends, and two to post."""


@pytest.fixture(scope="module")
def gate(engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDwgate]:
    """Two workers; the shortest deadline is that of run-file."""
    folder = tmp_path_factory.mktemp("paused")
    policy = folder / "policy.yaml"
    policy.write_text(
        built_in_policy().replace("run-file: {deadline: 20", f"run-file: {{deadline: {DEADLINE}")
    )
    settings = {"DWGATE_RECONCILE_SECONDS": "1", "DWGATE_POLICY_FILE": str(policy)}
    with fleet(engines[0].url, engines[1].url, folder, workers=2, settings=settings) as running:
        yield running


def processes(gate: RunningDwgate, group: str, number: int = 0) -> list[psutil.Process]:
    """Return the processes of a group, or all of them, of the first worker or another one."""
    worker = psutil.Process(gate.workers[number].pid)
    children = worker.children(recursive=True)
    return (
        [worker, *children]
        if group == "all"
        else [each for each in children if each.name() == f"dwgate-{group}"]
    )


@pytest.mark.parametrize(
    "group",
    [
        "reporter",
        "watchdog",
        # RabbitMQ delivers the messages of the stopped processes again when their heartbeats are missing.
        pytest.param("all", marks=pytest.mark.faults),
    ],
)
def test_a_process_that_stands_still_posts_no_other_verdict(gate: RunningDwgate, group: str) -> None:
    """A paused owner of a lease continues after its end: "How to do distributed locking" (Kleppmann)."""
    gate.emulator.fault("hang", action=OPERATION, times=None, seconds=1)
    sent = [gate.send(NAME) for _ in range(12)]
    wait_for(lambda: State.DECIDED in gate.ledger.states(sent))
    stopped = wait_for(lambda: processes(gate, group))
    assert stopped
    for each in stopped:
        each.send_signal(signal.SIGSTOP)
    try:
        sent += [gate.send(NAME) for _ in range(4)]
        for message_id in sent:
            assert gate.verdict(message_id, 60)["result"] == SAMPLES[NAME].expected
            assert wait_until_final(gate, message_id, 60).state is State.REPORTED
    finally:
        for each in stopped:
            each.send_signal(signal.SIGCONT)
    gate.emulator.clear_faults()
    # What they held is finished when they have worked on something else.
    before = len(gate.emulator.verdicts())
    later = [gate.send(NAME) for _ in range(4)]
    for message_id in [*later, *sent]:
        record = wait_until_final(gate, message_id, 60)
        posts = gate.posts(message_id)
        assert {post["result"] for post in posts} == {SAMPLES[NAME].expected}
        assert len(posts) == 1
        assert posts[0]["at"] < record.deadline_at
    assert len(gate.emulator.verdicts()) > before


def kill(gate: RunningDwgate, group: str, number: int) -> None:
    """Kill a worker's process of a group; wait for it first if the supervisor is replacing it."""
    [process] = wait_for(lambda: processes(gate, group, number))
    process.kill()


@pytest.mark.faults
@pytest.mark.parametrize(
    ("count", "number"),
    [(10, 0), (30, 0), (30, 1)],
)
def test_a_killed_watchdog_leaves_no_event_undecided(gate: RunningDwgate, count: int, number: int) -> None:
    """The lookups hang, so only a watchdog answers; one is killed when the events become due."""
    gate.emulator.clear_faults()
    gate.emulator.fault("drip", action="GetIDEEventDetail", times=None)
    wait_for(lambda: all(processes(gate, "watchdog", each) for each in (0, 1)), 60)
    sent = [gate.send("run-file-good") for _ in range(count)]
    wait_for(lambda: all(gate.ledger.states(sent)))
    first = gate.ledger.get(sent[0])
    assert first
    wait_for(lambda: time.time() >= first.watch_at, 30, every=0.01)
    kill(gate, "watchdog", number)
    for message_id in sent:
        gate.verdict(message_id, 30)
        record = wait_until_final(gate, message_id)
        assert record.state is State.REPORTED, record.timeline
        assert record.verdict
        assert record.verdict.reason is Reason.DEADLINE
        [post] = gate.posts(message_id)
        assert post["at"] < record.deadline_at, record.timeline
    gate.emulator.clear_faults()


@pytest.mark.parametrize("number", [0, 1])
def test_the_duties_of_a_leader_pass_on_when_it_is_killed(gate: RunningDwgate, number: int) -> None:
    """The other worker's process finds the operations whose events were lost."""
    gate.emulator.clear_faults()
    message_id, _, sample = gate.sample(NAME)
    kill(gate, "recovery", number)
    gate.start_process(message_id, sample)
    assert gate.verdict(message_id, 30)["result"]
    assert wait_until_final(gate, message_id).event.recovered
    assert len(gate.posts(message_id)) == 1
