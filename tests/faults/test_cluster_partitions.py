"""Partitions of a RabbitMQ cluster under load: no accepted event is lost, none gets two different results.

The shapes are those of RabbitMQ's own Jepsen suite (rabbitmq/jepsen): a node is isolated, two nodes reach
each other only through the third one, or the links fail and recover again and again.

A reporter that lost its connection while it posts may be taken for dead: the same verdict is then posted
again, which has no effect (docs/decisions/reporter-by-token.md).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle

import pytest

from common.topology import QueueName
from tests.support.queues import TOPOLOGY
from tests.support.rabbitmq_cluster import SIZE, Cluster, NamespaceError
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final

_log = logging.getLogger(__name__)

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

NAMES = ("commit-file-bad", "deploy-table-bad", "freeze-node-bad", "run-file-good", "unfreeze-node-good")
PARTITION_SECONDS = 10.0
FLAPS = 5
TURNS = 3
RATE = 5
"""Events per second."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    try:
        with Cluster.create(tmp_path_factory.mktemp("cluster")) as created:
            created.start()
            yield created
    except NamespaceError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def running(
    cluster: Cluster, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDwgate]:
    """Ingest and two workers, which declare their queues when the cluster is complete."""
    with fleet(cluster.url, redis_url, tmp_path_factory.mktemp("partitions"), workers=2) as gate:
        members = {queue["name"]: len(queue["members"]) for queue in cluster.quorum_queues()}
        assert members.keys() >= {queue.name for queue in TOPOLOGY.queues}
        assert set(members.values()) == {SIZE}
        yield gate


@pytest.fixture
def gate(running: RunningDwgate, cluster: Cluster) -> Iterator[RunningDwgate]:
    yield running
    cluster.heal()


class Load:
    """Events that are sent at a constant rate, whether or not ingest accepts them.

    Attributes:
        statuses: the answer to each event by its message id.
        names: the sample of each event.
    """

    def __init__(self, gate: RunningDwgate) -> None:
        self.statuses: dict[str, int] = {}
        self.names: dict[str, str] = {}
        self._gate = gate

    @property
    def accepted(self) -> list[str]:
        """Message ids of the events that ingest accepted."""
        return [message_id for message_id, status in list(self.statuses.items()) if status == 200]

    @contextmanager
    def run(self) -> Iterator[None]:
        """Send events meanwhile; at the end wait for all answers."""
        end = threading.Event()
        with ThreadPoolExecutor(17) as pool:
            sender = pool.submit(self._send_all, pool, end)
            try:
                yield
            finally:
                end.set()
                answers = sender.result()
        for answer in answers:
            answer.result()

    def _send_all(self, pool: ThreadPoolExecutor, end: threading.Event) -> list[Future[None]]:
        answers = []
        for name in cycle(NAMES):
            answers.append(pool.submit(self._send, name))
            if end.wait(1 / RATE):
                break
        return answers

    def _send(self, name: str) -> None:
        message_id, event, sample = self._gate.sample(name)
        self._gate.start_process(message_id, sample)
        self.names[message_id] = name
        self.statuses[message_id] = self._gate.post(event).status_code


def isolate_leader(cluster: Cluster, leader: int) -> None:
    """The leader of the queue of new events is alone, and pauses itself: its listener closes."""
    cluster.isolate(leader)
    began = time.monotonic()
    wait_for(lambda: not cluster.nodes[leader].is_serving, 60)
    time.sleep(max(0.0, began + PARTITION_SECONDS - time.monotonic()))


def leave_a_bridge(cluster: Cluster, leader: int) -> None:
    """The leader and a follower reach only the third node, which reaches both."""
    cluster.cut(leader, (leader + 1) % SIZE)
    time.sleep(PARTITION_SECONDS)


def flap(cluster: Cluster, leader: int) -> None:
    """Each node in turn, beginning with the leader, is isolated and connected again."""
    for turn in range(FLAPS):
        cluster.isolate((leader + turn) % SIZE)
        time.sleep(PARTITION_SECONDS / FLAPS / 2)
        cluster.heal()
        time.sleep(PARTITION_SECONDS / FLAPS / 2)


@pytest.mark.parametrize("turn", range(TURNS))
@pytest.mark.parametrize("part", [isolate_leader, leave_a_bridge, flap])
def test_no_event_is_lost(
    gate: RunningDwgate, cluster: Cluster, part: Callable[[Cluster, int], None], turn: int
) -> None:
    wait_for(cluster.is_whole, 120)
    leader = cluster.leader_of(TOPOLOGY[QueueName.INTAKE].name)
    cut_packets = cluster.count_cut_packets()
    load = Load(gate)
    with load.run():
        wait_for(lambda: len(load.accepted) >= 2 * RATE, 60)
        before = len(load.accepted)
        part(cluster, leader)
        cluster.heal()
        during = len(load.accepted) - before
        wait_for(cluster.is_whole, 120)
        healed = len(load.accepted)
        wait_for(lambda: len(load.accepted) >= healed + 2 * RATE, 60)
    cut_packets = cluster.count_cut_packets() - cut_packets
    assert cut_packets > 0
    assert set(load.statuses.values()) <= {200, 503}
    complete = repeated = 0
    for message_id in load.accepted:
        gate.verdict(message_id, 90)
        record = wait_until_final(gate, message_id, 90)
        posts = gate.posts(message_id)
        assert [post["status"] for post in posts].count("first") == 1, record.timeline
        repeated += len(posts) - 1
        if not record.pending_checks:
            complete += 1
            assert posts[0]["result"] == SAMPLES[load.names[message_id]].expected, record.timeline
    assert complete
    for message_id in load.statuses:
        results = {post["result"] for post in gate.emulator.verdicts(message_id)}
        assert len(results) <= 1, (message_id, results)
    _log.info(
        "%s, turn %d: %d sent, %d accepted (%d in the partition), %d checked completely, %d posted again,"
        " %d packets cut",
        part.__name__,
        turn,
        len(load.statuses),
        len(load.accepted),
        during,
        complete,
        repeated,
        cut_packets,
    )
