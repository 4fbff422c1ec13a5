"""Runs of a fleet whose engines fail over under load."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from common.tls import SYSTEM_STORE, TlsFiles
from tests.faults.cluster_runs import scenarios
from tests.faults.cluster_runs.load import Load, RunResult
from tests.faults.cluster_runs.scenarios import Scenario
from tests.support.certificates import Authority
from tests.support.rabbitmq_cluster import Cluster
from tests.support.replicated_redis import ReplicatedRedis
from tests.support.running_dwgate import RunningDwgate, fleet
from tests.support.sentinel_group import SentinelGroup

WORKERS = 2
QUIET_SECONDS = 8.0
"""How long events are sent before the first fault, and after the last one, at least."""

QPS = 1000
"""The quota, per second: so high that it does not limit."""


@dataclass(frozen=True, slots=True)
class ClusterRun:
    """A run on RabbitMQ: the result, and where the queues were.

    Attributes:
        result: of the events.
        seconds: how long events were sent.
        members: number of members of each queue.
        leaders: number of queues that each node led at the beginning, by the node's number.
    """

    result: RunResult
    seconds: float
    members: dict[str, int]
    leaders: Counter[int]


def run_on_rabbitmq(
    scenario: Scenario, cluster: Cluster, authority: Authority, redis_url: str, directory: Path, rate: float
) -> ClusterRun:
    """Run a scenario on a started RabbitMQ, with TLS and all nodes in the setting.

    Args:
        scenario: what happens.
        cluster: whose nodes have certificates of the authority.
        authority: issues the certificate of dwgate, too.
        redis_url: the ledger, empty.
        directory: of the logs.
        rate: events per second.
    """
    pair = authority.issue("dwgate")
    files = TlsFiles(authority.ca_file, pair.cert_file, pair.key_file)
    with _fleet(cluster.node_urls, redis_url, directory, files) as gate:
        queues = cluster.quorum_queues()
        names = [node.name for node in cluster.nodes]
        result, seconds = _run(gate, lambda: scenarios.inflict(scenario, cluster), rate)
        return ClusterRun(
            result,
            seconds,
            {queue["name"]: len(queue["members"]) for queue in queues},
            Counter(names.index(queue["leader"]) for queue in queues),
        )


def run_on_sentinel(directory: Path, rate: float, *, broker_url: str | None) -> tuple[RunResult, float]:
    """Kill the master of a Redis with Sentinel, two replicas and TLS; return the result and the seconds.

    Args:
        directory: of the engines and the logs.
        rate: events per second.
        broker_url: RabbitMQ; None if the same Redis is the broker.
    """
    group = SentinelGroup(directory, Authority(directory), replicas=2, min_replicas=1)
    with closing(group):
        group.start()
        with _fleet(broker_url or group.url, group.url, directory, group.files) as gate:
            return _run(gate, lambda: scenarios.kill_master(group), rate)


def run_on_one_address(directory: Path, rate: float, *, broker_url: str | None) -> tuple[RunResult, float]:
    """Promote a replica behind the address of Redis; the arguments are those of `run_on_sentinel`."""
    servers = ReplicatedRedis(directory)
    with closing(servers):
        servers.start()
        with _fleet(broker_url or servers.url, servers.url, directory, SYSTEM_STORE) as gate:
            return _run(gate, lambda: scenarios.move_master(servers), rate)


def _run(gate: RunningDwgate, inflict: Callable[[], None], rate: float) -> tuple[RunResult, float]:
    load = Load(gate, rate)
    began = time.monotonic()
    with load.run():
        time.sleep(QUIET_SECONDS)
        inflict()
        time.sleep(QUIET_SECONDS)
        seconds = time.monotonic() - began
    return load.result(), seconds


@contextmanager
def _fleet(broker_url: str, redis_url: str, directory: Path, files: TlsFiles) -> Iterator[RunningDwgate]:
    settings = {
        "DWGATE_OPENAPI_READ_QPS": str(QPS),
        "DWGATE_OPENAPI_WRITE_QPS": str(QPS),
        **_tls_settings(files),
    }
    with fleet(
        *(broker_url, redis_url, directory),
        workers=WORKERS,
        settings=settings,
        tls=files,
        read_qps=QPS,
        write_qps=QPS,
    ) as gate:
        yield gate


def _tls_settings(files: TlsFiles) -> dict[str, str]:
    named = {"CA": files.ca_file, "CERT": files.cert_file, "KEY": files.key_file}
    return {f"DWGATE_TLS_{name}_FILE": str(file) for name, file in named.items() if file}
