"""The way of an event through real processes on RabbitMQ and Valkey, read at the far side."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from common.ledger import State
from common.points import POINTS, Answer
from deploy.local import events
from tests.conftest import Broker
from tests.engines import Valkey, clean_broker
from tests.fleet import ACCOUNT, SAMPLES, Gate, fleet, wait_for


@pytest.fixture(scope="module")
def gate(rabbitmq: Broker, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    rabbitmq.restore()
    valkey.restore()
    valkey.clean()
    clean_broker(rabbitmq.url)
    settings = {"DWGATE_RECONCILE_SECONDS": "2"}
    with fleet(rabbitmq.url, valkey.url, tmp_path_factory.mktemp("way"), settings=settings) as running:
        yield running


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_sample_gets_its_verdict_once(gate: Gate, name: str) -> None:
    message_id = gate.send(name)
    verdict = gate.verdict(message_id)

    assert verdict["result"] == SAMPLES[name].expected
    assert len(gate.posts(message_id)) == 1
    record = wait_for(lambda: r if (r := gate.ledger.get(message_id)) and r.state.ended else None)
    assert record.state is State.REPORTED
    assert record.missing == ()
    assert record.verdict
    assert verdict["tip"] == record.verdict.tip
    assert verdict["at"] < record.deadline_at
