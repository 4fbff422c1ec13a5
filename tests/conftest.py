"""Engines and a running dwgate as fixtures. A missing engine fails the tests with a clear error: no skip."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import resources

import pytest
import structlog

from review.nesting import allow_deep_nesting
from tests.support.engines import EngineError, RabbitMQ, Valkey, clean_broker, speaks_amqp
from tests.support.running_dwgate import RunningDwgate, fleet

# As the first review does it; hypothesis refuses that a test changes it.
allow_deep_nesting()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the modules whose tests take long, so that no process is alone with one in the end."""
    items.sort(key=lambda item: not {"faults", "acceptance"} & set(item.path.parts))


@pytest.fixture(autouse=True)
def default_logs() -> Iterator[None]:
    """Undo the log configuration of a command that a test runs in this process."""
    yield
    structlog.reset_defaults()


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
    """URL of the session's Valkey, which may contain keys of other tests."""
    return valkey.url


@pytest.fixture
def clean_redis_url(valkey: Valkey) -> Iterator[str]:
    """URL of the session's Valkey, running and empty; restored after the test."""
    valkey.restore()
    valkey.clean()
    yield valkey.url
    valkey.restore()


class ForeignBroker:
    """The broker at DWGATE_TEST_BROKER_URL, which tests must not stop; fault tests fail on it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def start(self) -> None:
        """Check that it is reachable."""
        if not speaks_amqp(self.url):
            raise EngineError(f"DWGATE_TEST_BROKER_URL: no broker answers at {self.url.rpartition('@')[2]}")

    def restore(self) -> None:
        """Do nothing: tests cannot stop it."""

    def fresh_url(self) -> str:
        """Return its URL, after deleting dwgate's queues there."""
        clean_broker(self.url)
        return self.url

    def close(self) -> None:
        """Do nothing: it is not stopped."""

    def kill(self) -> None:
        """Raise an error."""
        raise EngineError("this test stops the broker: unset DWGATE_TEST_BROKER_URL to run it")

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
    """URL of an empty virtual host of the session's RabbitMQ; restored after the test."""
    rabbitmq.restore()
    yield rabbitmq.fresh_url()
    rabbitmq.restore()


def built_in_policy() -> str:
    """Return the text of the built-in policy."""
    return (resources.files("workers.policy") / "default.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def engines(rabbitmq: Broker, valkey: Valkey) -> tuple[Broker, Valkey]:
    """Both engines, running and empty; the broker's `url` is that of an empty virtual host from now on."""
    rabbitmq.restore()
    valkey.restore()
    valkey.clean()
    rabbitmq.url = rabbitmq.fresh_url()
    return rabbitmq, valkey


@pytest.fixture(scope="module")
def gate(engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDwgate]:
    """Ingest and one worker with all roles and the built-in policy, but a deadline of 8 s for run-file."""
    broker, valkey = engines
    folder = tmp_path_factory.mktemp("gate")
    policy = folder / "policy.yaml"
    policy.write_text(built_in_policy().replace("run-file: {deadline: 20", "run-file: {deadline: 8"))
    settings = {"DWGATE_RECONCILE_SECONDS": "2", "DWGATE_POLICY_FILE": str(policy)}
    with fleet(broker.url, valkey.url, folder, settings=settings) as running:
        yield running
