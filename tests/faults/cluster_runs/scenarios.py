"""What happens to the engines of a run, in order of the issue: killed, cut off, restarted one by one."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum

from common.topology import QueueName
from tests.support.queues import TOPOLOGY
from tests.support.rabbitmq_cluster import Cluster
from tests.support.replicated_redis import ReplicatedRedis
from tests.support.running_dwgate import wait_for
from tests.support.sentinel_group import SentinelGroup

DOWN_SECONDS = 10.0
"""How long a server that was killed stays away."""

PARTITION_SECONDS = 15.0
WHOLE_SECONDS = 240.0
"""How long a cluster may take until all its nodes serve again and all queues have all their members."""

ADDRESS_SECONDS = 5.0
"""How long the address leads to the old master after a failover, as with a managed Redis."""


class Scenario(StrEnum):
    """A kind of failover."""

    LEADER_KILLED = "leader-killed"
    """SIGKILL of the node that leads the queue of new events; it starts again."""
    NODE_PARTITIONED = "node-partitioned"
    """The links between that node and all others are cut, then restored."""
    ROLLING_RESTART = "rolling-restart"
    """Each node in turn is stopped in order and started again, the next one when the cluster is whole."""
    MASTER_KILLED = "master-killed"
    """SIGKILL of the master of Redis: Sentinel promotes a replica, and the old master becomes one."""
    MASTER_MOVED = "master-moved"
    """A replica is promoted, and the address of Redis leads to it a while later."""


OF_CLUSTER = (Scenario.LEADER_KILLED, Scenario.NODE_PARTITIONED, Scenario.ROLLING_RESTART)
OF_SINGLE_NODE = (Scenario.LEADER_KILLED, Scenario.ROLLING_RESTART)


def _kill_leader(cluster: Cluster) -> None:
    node = cluster.nodes[cluster.leader_of(TOPOLOGY[QueueName.INTAKE].name)]
    node.kill()
    time.sleep(DOWN_SECONDS)
    node.start()
    wait_for(cluster.is_whole, WHOLE_SECONDS, every=1.0)


def _partition(cluster: Cluster) -> None:
    cluster.isolate(cluster.leader_of(TOPOLOGY[QueueName.INTAKE].name))
    time.sleep(PARTITION_SECONDS)
    cluster.heal()
    wait_for(cluster.is_whole, WHOLE_SECONDS, every=1.0)


def _restart_all(cluster: Cluster) -> None:
    for node in cluster.nodes:
        node.stop()
        node.start()
        wait_for(cluster.is_whole, WHOLE_SECONDS, every=1.0)


_CLUSTER_FAULTS: dict[Scenario, Callable[[Cluster], None]] = {
    Scenario.LEADER_KILLED: _kill_leader,
    Scenario.NODE_PARTITIONED: _partition,
    Scenario.ROLLING_RESTART: _restart_all,
}


def inflict(scenario: Scenario, cluster: Cluster) -> None:
    """Do the faults of a scenario to a cluster of RabbitMQ; return when it is whole again."""
    _CLUSTER_FAULTS[scenario](cluster)


def kill_master(group: SentinelGroup) -> None:
    """Kill the master of Redis; return when its replicas, and itself as one of them, are in step again."""
    old = group.master()
    old.kill()
    wait_for(lambda: group.master() is not old, 60)
    time.sleep(DOWN_SECONDS)
    old.start()
    wait_for(group.is_whole, WHOLE_SECONDS, every=1.0)


def move_master(servers: ReplicatedRedis) -> None:
    """Promote the replica behind the address, which leads to it ADDRESS_SECONDS later."""
    servers.demote()
    time.sleep(ADDRESS_SECONDS)
    servers.move_address()
