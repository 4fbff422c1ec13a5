"""Run a failover by hand: `python -m tests.faults.cluster_runs leader-killed --nodes 3 --rate 50`.

Exit 1 if a promise is broken. Lateness is reported. RabbitMQ 4 comes from `.ci/rabbitmq-4`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from tests.faults.cluster_runs import runs
from tests.faults.cluster_runs.load import RunResult
from tests.faults.cluster_runs.scenarios import Scenario
from tests.support.certificates import Authority
from tests.support.engines import RabbitMQ, Valkey
from tests.support.rabbitmq_cluster import Cluster
from tests.support.rabbitmq_installation import find_rabbitmq_4, find_system_rabbitmq

MAX_LINES = 20
"""Maximum number of broken promises that are shown."""


def main() -> int:
    """Return 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.cluster_runs", description=__doc__)
    parser.add_argument("scenario", type=Scenario, choices=list(Scenario))
    parser.add_argument("--rate", type=float, default=50, help="events per second")
    parser.add_argument("--rabbitmq", choices=("system", "4"), default="4", help="which RabbitMQ to run")
    parser.add_argument("--nodes", type=int, choices=(1, 3), default=3, help="of RabbitMQ")
    parser.add_argument("--redis-broker", action="store_true", help="Redis is the broker, too")
    parser.add_argument("--logs", type=Path, help="folder for the logs, below the temporary one")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dwgate-cluster-") as temporary:
        directory = chosen.logs or Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        if chosen.scenario in (Scenario.MASTER_KILLED, Scenario.MASTER_MOVED):
            result, seconds = _run_on_redis(chosen, directory)
        else:
            result, seconds = _run_on_rabbitmq(chosen, directory)
    _print(f"{chosen.scenario}, {chosen.rate:g} a second for {seconds:.0f} s: {result}")
    for line in result.broken[:MAX_LINES]:
        _print(f"    {line}")
    return int(bool(result.broken))


def _run_on_rabbitmq(chosen: argparse.Namespace, directory: Path) -> tuple[RunResult, float]:
    installation = find_rabbitmq_4() if chosen.rabbitmq == "4" else find_system_rabbitmq()
    authority = Authority(directory)
    with (
        closing(Valkey(_folder(directory, "valkey"))) as valkey,
        Cluster.create(
            _folder(directory, "cluster"), size=chosen.nodes, installation=installation, authority=authority
        ) as cluster,
    ):
        valkey.start()
        cluster.start()
        run = runs.run_on_rabbitmq(
            chosen.scenario, cluster, authority, valkey.url, _folder(directory, "fleet"), chosen.rate
        )
    _print(f"members of the queues: {sorted(run.members.values())}; queues led by node: {dict(run.leaders)}")
    return run.result, run.seconds


def _run_on_redis(chosen: argparse.Namespace, directory: Path) -> tuple[RunResult, float]:
    run = runs.run_on_sentinel if chosen.scenario is Scenario.MASTER_KILLED else runs.run_on_one_address
    if chosen.redis_broker:
        return run(_folder(directory, "redis"), chosen.rate, broker_url=None)
    with closing(RabbitMQ(_folder(directory, "rabbitmq"))) as broker:
        broker.start()
        return run(_folder(directory, "redis"), chosen.rate, broker_url=broker.fresh_url())


def _folder(directory: Path, name: str) -> Path:
    folder = directory / name
    folder.mkdir()
    return folder


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
