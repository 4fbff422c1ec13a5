"""A running dwgate on RabbitMQ and Valkey, one for each module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Broker
from tests.engines import Valkey, clean_broker
from tests.fleet import Gate, fleet


@pytest.fixture(scope="module")
def engines(rabbitmq: Broker, valkey: Valkey) -> tuple[Broker, Valkey]:
    """Both engines, up and empty."""
    rabbitmq.restore()
    valkey.restore()
    valkey.clean()
    clean_broker(rabbitmq.url)
    return rabbitmq, valkey


@pytest.fixture(scope="module")
def gate(engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """Ingest and one worker with every role."""
    broker, valkey = engines
    settings = {"DWGATE_RECONCILE_SECONDS": "2"}
    with fleet(broker.url, valkey.url, tmp_path_factory.mktemp("gate"), settings=settings) as running:
        yield running
