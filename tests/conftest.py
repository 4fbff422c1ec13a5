"""Engines and a running dwgate as fixtures. A missing engine is a failure with a clear line, never a skip."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import resources

import pytest

from tests.support.engines import EngineError, RabbitMQ, Valkey, clean_broker, speaks_amqp
from tests.support.running_dwgate import RunningDwgate, fleet


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """The session's Valkey: `.url`, `.kill()`, `.stop_process()`, `.resume()`, `.start()`."""
    engine = Valkey(tmp_path_factory.mktemp("valkey"))
    try:
        engine.start()
        yield engine
    finally:
        engine.close()


@pytest.fixture(scope="session")
def redis_url(valkey: Valkey) -> str:
    """URL of the session's Valkey; keys of other tests may be in it."""
    return valkey.url


@pytest.fixture
def clean_redis_url(valkey: Valkey) -> Iterator[str]:
    """URL of the session's Valkey, up and empty; put right again after the test."""
    valkey.restore()
    valkey.clean()
    yield valkey.url
    valkey.restore()


class ForeignBroker:
    """The broker that DWGATE_TEST_BROKER_URL names: not ours to end, so a fault test fails on it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def start(self) -> None:
        """Look whether it is there."""
        if not speaks_amqp(self.url):
            raise EngineError(f"DWGATE_TEST_BROKER_URL: no broker answers at {self.url.rpartition('@')[2]}")

    def restore(self) -> None:
        """Nothing to do: nobody may have done anything to it."""

    def fresh_url(self) -> str:
        """Return its URL, after deleting dwgate's queues there."""
        clean_broker(self.url)
        return self.url

    def close(self) -> None:
        """Leave it alone."""

    def kill(self) -> None:
        """Refuse."""
        raise EngineError("this test ends the broker: unset DWGATE_TEST_BROKER_URL to run it")

    stop_process = kill
    resume = kill


Broker = RabbitMQ | ForeignBroker


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The session's RabbitMQ: `.url`, `.kill()`, `.stop_process()`, `.resume()`, `.start()`."""
    url = os.environ.get("DWGATE_TEST_BROKER_URL")
    engine: Broker = ForeignBroker(url) if url else RabbitMQ(tmp_path_factory.mktemp("rabbitmq"))
    try:
        engine.start()
        yield engine
    finally:
        engine.close()


@pytest.fixture
def broker_url(rabbitmq: Broker) -> Iterator[str]:
    """URL of an empty virtual host of the session's RabbitMQ; put right again after the test."""
    rabbitmq.restore()
    yield rabbitmq.fresh_url()
    rabbitmq.restore()


def built_in_policy() -> str:
    """The text of the built-in policy."""
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
    """Ingest and one worker, every role, the built-in policy; but a run must be answered in 8 s."""
    broker, valkey = engines
    folder = tmp_path_factory.mktemp("gate")
    policy = folder / "policy.yaml"
    policy.write_text(built_in_policy().replace("run-file: {deadline: 20", "run-file: {deadline: 8"))
    settings = {"DWGATE_RECONCILE_SECONDS": "2", "DWGATE_POLICY_FILE": str(policy)}
    with fleet(broker.url, valkey.url, folder, settings=settings) as running:
        yield running
