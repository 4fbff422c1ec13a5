"""RabbitMQ and Redis fail over under load: nothing is lost, doubled or answered differently.

`python -m tests.faults.cluster_runs` makes the same runs by hand, at any rate.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import Broker
from tests.faults.cluster_runs import runs
from tests.faults.cluster_runs.load import RunResult
from tests.faults.cluster_runs.scenarios import OF_CLUSTER, OF_SINGLE_NODE, Scenario
from tests.support.certificates import Authority
from tests.support.engines import Valkey
from tests.support.rabbitmq_cluster import SIZE, Cluster, NamespaceError
from tests.support.rabbitmq_installation import (
    Installation,
    NoRabbitMQ4,
    find_rabbitmq_4,
    find_system_rabbitmq,
)

_log = logging.getLogger(__name__)

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

RATE = 4.0
"""Events per second: two cores run three nodes of RabbitMQ, the fleet, DataWorks and the sender."""


@contextmanager
def started_cluster(
    directory: Path, installation: Installation, size: int
) -> Iterator[tuple[Cluster, Authority]]:
    authority = Authority(directory)
    (directory / "cluster").mkdir()
    try:
        with Cluster.create(
            directory / "cluster", size=size, installation=installation, authority=authority
        ) as cluster:
            cluster.start()
            yield cluster, authority
    except NamespaceError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module", params=["system", "4"])
def installation(request: pytest.FixtureRequest) -> Installation:
    """RabbitMQ of the system, and RabbitMQ 4."""
    if request.param == "system":
        return find_system_rabbitmq()
    try:
        return find_rabbitmq_4()
    except NoRabbitMQ4 as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("scenario", OF_CLUSTER)
def test_three_nodes(installation: Installation, valkey: Valkey, tmp_path: Path, scenario: Scenario) -> None:
    valkey.restore()
    valkey.clean()
    with started_cluster(tmp_path, installation, SIZE) as (cluster, authority):
        (tmp_path / "fleet").mkdir()
        run = runs.run_on_rabbitmq(scenario, cluster, authority, valkey.url, tmp_path / "fleet", RATE)
    assert set(run.members.values()) == {SIZE}
    assert len(run.leaders) == SIZE, "the leaders of the queues do not spread"
    keeps_every_promise(scenario, run.result)


@pytest.mark.parametrize("scenario", OF_SINGLE_NODE)
def test_a_single_node(
    installation: Installation, valkey: Valkey, tmp_path: Path, scenario: Scenario
) -> None:
    valkey.restore()
    valkey.clean()
    with started_cluster(tmp_path, installation, 1) as (cluster, authority):
        (tmp_path / "fleet").mkdir()
        run = runs.run_on_rabbitmq(scenario, cluster, authority, valkey.url, tmp_path / "fleet", RATE)
    keeps_every_promise(scenario, run.result)


@pytest.mark.parametrize("is_broker", [False, True], ids=["ledger", "ledger-and-broker"])
def test_sentinel_promotes_a_replica(rabbitmq: Broker, tmp_path: Path, *, is_broker: bool) -> None:
    rabbitmq.restore()
    result, _ = runs.run_on_sentinel(tmp_path, RATE, broker_url=None if is_broker else rabbitmq.fresh_url())
    keeps_every_promise(Scenario.MASTER_KILLED, result)


@pytest.mark.parametrize("is_broker", [False, True], ids=["ledger", "ledger-and-broker"])
def test_a_replica_is_promoted_behind_one_address(
    rabbitmq: Broker, tmp_path: Path, *, is_broker: bool
) -> None:
    rabbitmq.restore()
    result, _ = runs.run_on_one_address(
        tmp_path, RATE, broker_url=None if is_broker else rabbitmq.fresh_url()
    )
    keeps_every_promise(Scenario.MASTER_MOVED, result)


def keeps_every_promise(scenario: Scenario, result: RunResult) -> None:
    _log.info("%s: %s", scenario, result)
    assert result.broken == []
    assert result.lost == result.different == 0
    assert len(result.observations) > result.incomplete
