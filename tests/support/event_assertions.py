"""What holds of an event that was handled as promised, and of one that ingest refuses."""

from __future__ import annotations

from common.ledger import State
from tests.support.running_dwgate import SAMPLES, RunningDwgate, wait_until_final

REFUSED_SECONDS = 2.5


def one_verdict(gate: RunningDwgate, message_id: str, name: str) -> None:
    """Assert that an event of the sample `name` was answered once, in time, and by all of its checks."""
    assert gate.verdict(message_id, 60)["result"] == SAMPLES[name].expected
    record = wait_until_final(gate, message_id, 60)
    assert record.state is State.REPORTED, record.timeline
    assert record.pending_checks == ()
    posts = gate.posts(message_id)
    assert len(posts) == 1, record.timeline
    assert posts[0]["at"] < record.deadline_at


def refused_in_time(gate: RunningDwgate, name: str) -> None:
    """Assert that ingest answers an event of the sample `name` with 503, soon."""
    _, event, _ = gate.sample(name)
    answer = gate.post(event)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.elapsed.total_seconds() < REFUSED_SECONDS
