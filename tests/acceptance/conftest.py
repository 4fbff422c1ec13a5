"""A running dwgate on RabbitMQ and Valkey, one for each module."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

import pytest

from tests.conftest import Broker
from tests.support.engines import Valkey, clean_broker
from tests.support.running_dwgate import RunningDwgate, fleet


def built_in() -> str:
    """Return the text of the built-in policy."""
    return (resources.files("workers.policy") / "default.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def engines(rabbitmq: Broker, valkey: Valkey) -> tuple[Broker, Valkey]:
    """Both engines, up and empty."""
    rabbitmq.restore()
    valkey.restore()
    valkey.clean()
    clean_broker(rabbitmq.url)
    return rabbitmq, valkey


@pytest.fixture(scope="module")
def gate(engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDwgate]:
    """Ingest and one worker with all roles and the built-in policy, but a deadline of 8 s for run-file."""
    broker, valkey = engines
    folder = tmp_path_factory.mktemp("gate")
    policy = folder / "policy.yaml"
    policy.write_text(built_in().replace("run-file: {deadline: 20", "run-file: {deadline: 8"))
    settings = {"DWGATE_RECONCILE_SECONDS": "2", "DWGATE_POLICY_FILE": str(policy)}
    with fleet(broker.url, valkey.url, folder, settings=settings) as running:
        yield running
