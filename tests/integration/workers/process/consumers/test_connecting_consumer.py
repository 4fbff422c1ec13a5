"""The consumer of a worker connects to a real RabbitMQ."""

from __future__ import annotations

import threading

import pytest
from celery.exceptions import WorkerShutdown
from celery.worker import state
from kombu import Connection
from structlog.testing import capture_logs

from workers.process.consumers import connecting_consumer
from workers.process.consumers.connecting_consumer import ConnectingConsumer


@pytest.fixture
def consumer() -> ConnectingConsumer:
    """A consumer that has not started."""
    return ConnectingConsumer.__new__(ConnectingConsumer)


@pytest.fixture
def stop_soon(monkeypatch: pytest.MonkeyPatch) -> threading.Timer:
    """Stop the worker a second after the timer's start, as SIGTERM does."""
    monkeypatch.setattr(state, "should_stop", None)
    return threading.Timer(1.0, lambda: setattr(state, "should_stop", 0))


def test_a_refusal_is_asked_again_until_the_worker_stops(
    consumer: ConnectingConsumer,
    stop_soon: threading.Timer,
    broker_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connecting_consumer, "REFUSED_SECONDS", 0.1)
    missing_host = broker_url.rpartition("/")[0] + "/absent"
    stop_soon.start()
    with Connection(missing_host) as connection, capture_logs() as logs, pytest.raises(WorkerShutdown):
        consumer.ensure_connected(connection)
    assert [entry["event"] for entry in logs].count("broker_refused") > 1
    assert "absent" in logs[0]["reason"]


def test_the_wait_after_a_refusal_ends_when_the_worker_stops(
    consumer: ConnectingConsumer, stop_soon: threading.Timer, broker_url: str
) -> None:
    missing_host = broker_url.rpartition("/")[0] + "/absent"
    stop_soon.start()
    with Connection(missing_host) as connection, pytest.raises(WorkerShutdown):
        consumer.ensure_connected(connection)


def test_a_broker_that_is_down_is_one_line_per_pause(consumer: ConnectingConsumer) -> None:
    with capture_logs() as logs:
        for _ in range(2):
            consumer.on_connection_error_before_connected(ConnectionRefusedError())
    assert [entry["event"] for entry in logs] == ["broker_unreachable"]


def test_it_connects(consumer: ConnectingConsumer, broker_url: str) -> None:
    with Connection(broker_url) as connection:
        assert consumer.ensure_connected(connection).connected
