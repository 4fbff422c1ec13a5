"""Events that are delivered several times at once, or in another order than they happened."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.ledger import State
from tests.conftest import Broker
from tests.support.engines import Valkey
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_until_final

DELIVERIES = 5
THREADS = 16
GOOD, BAD = "commit-file-good", "commit-file-bad"


@pytest.fixture(scope="module")
def gate(engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDwgate]:
    with fleet(engines[0].url, engines[1].url, tmp_path_factory.mktemp("repeated"), workers=2) as running:
        yield running


def one_verdict(gate: RunningDwgate, message_id: str, name: str) -> None:
    assert gate.verdict(message_id, 60)["result"] == SAMPLES[name].expected
    record = wait_until_final(gate, message_id, 60)
    assert record.state is State.REPORTED
    [post] = gate.posts(message_id)
    assert post["at"] < record.deadline_at


@pytest.mark.parametrize("count", [40, pytest.param(400, marks=pytest.mark.faults)])
def test_an_event_is_delivered_five_times_at_once(gate: RunningDwgate, count: int) -> None:
    """A sender that sees no answer in time delivers again: EventBridge "at least once"."""
    names = sorted(SAMPLES)
    events = [gate.sample(names[number % len(names)]) for number in range(count)]
    for message_id, _, sample in events:
        gate.start_process(message_id, sample)
    with ThreadPoolExecutor(THREADS) as pool:
        posts = [pool.submit(gate.post, event) for _, event, _ in events for _ in range(DELIVERIES)]
        assert {post.result().status_code for post in posts} == {200}
    for message_id, _, sample in events:
        one_verdict(gate, message_id, sample.name)


@pytest.mark.parametrize("count", [10, pytest.param(200, marks=pytest.mark.faults)])
def test_the_newer_commit_of_a_file_arrives_first(gate: RunningDwgate, count: int) -> None:
    """Each operation waits for its own verdict: one that is dropped waits for ever, as in atlantis 1599."""
    pairs = [(gate.sample(older), gate.sample(newer)) for older, newer in ((GOOD, BAD), (BAD, GOOD)) * count]
    for pair in pairs:
        (_, older, _), (_, newer, _) = pair
        newer["data"]["fileId"] = older["data"]["fileId"]
        for message_id, _, sample in pair:
            gate.start_process(message_id, sample)
        assert older["time"] <= newer["time"]
        for event in (newer, older):
            assert gate.post(event).status_code == 200
    for pair in pairs:
        for message_id, _, sample in pair:
            one_verdict(gate, message_id, sample.name)
