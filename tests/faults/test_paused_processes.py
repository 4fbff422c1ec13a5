"""Processes that stand still with a lease and continue later: one verdict for each event, in time."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import psutil
import pytest

from common.ledger import State
from tests.conftest import Broker
from tests.support.engines import Valkey
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final

NAME = "freeze-node-bad"
OPERATION = "UpdateWorkbenchEventResult"


@pytest.fixture(scope="module")
def gate(engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDwgate]:
    with fleet(engines[0].url, engines[1].url, tmp_path_factory.mktemp("paused"), workers=2) as running:
        yield running


def processes(gate: RunningDwgate, group: str) -> list[psutil.Process]:
    """Return the first worker's processes of a group, or all of them."""
    worker = psutil.Process(gate.workers[0].pid)
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
    stopped = processes(gate, group)
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
