"""Redis that moves, is full or hangs: every accepted event is answered from its checks, once, in time."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.conftest import Broker, built_in_policy
from tests.support.engines import free_port
from tests.support.event_assertions import one_verdict
from tests.support.replicated_redis import ReplicatedRedis
from tests.support.running_dwgate import RunningDwgate, fleet, wait_for

NAMES = ("commit-file-bad", "freeze-node-bad", "run-file-good")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicatedRedis]:
    engine = ReplicatedRedis(tmp_path_factory.mktemp("servers"))
    engine.start()
    yield engine
    engine.close()


@pytest.fixture(scope="module", params=["rabbitmq", pytest.param("redis", marks=pytest.mark.faults)])
def gate(
    rabbitmq: Broker,
    servers: ReplicatedRedis,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[RunningDwgate]:
    """Ingest and one worker, with deadlines that are longer than the faults."""
    folder = tmp_path_factory.mktemp(request.param)
    policy = folder / "policy.yaml"
    policy.write_text(re.sub(r"deadline: \d+", "deadline: 90", built_in_policy()))
    broker_url = servers.url
    if request.param == "rabbitmq":
        rabbitmq.restore()
        broker_url = rabbitmq.fresh_url()
    settings = {"DWGATE_POLICY_FILE": str(policy)}
    with fleet(broker_url, servers.url, folder, workers=0, settings=settings) as running:
        running.metrics_port = free_port()
        running.start_worker("--metrics-port", str(running.metrics_port))
        yield running


def faults(gate: RunningDwgate, label: str) -> float:
    """Return how many operations of the worker failed for a reason."""
    return gate.metric(f'dwgate_redis_faults_total{{fault="{label}"}}')


def send_as_eventbridge(gate: RunningDwgate, name: str) -> str:
    """Send an event again and again until it is accepted."""
    message_id, event, sample = gate.sample(name)
    gate.start_process(message_id, sample)
    wait_for(lambda: gate.post(event).status_code == 200, 60, every=0.2)
    return message_id


def test_the_master_becomes_a_replica_behind_the_same_address(
    gate: RunningDwgate, servers: ReplicatedRedis
) -> None:
    """celery 7946, django-redis 616: connections to the old master stay open and refuse writes."""
    one_verdict(gate, gate.send(NAMES[0]), NAMES[0])
    before = faults(gate, "readonly")
    is_broker = gate.environment["DWGATE_BROKER_URL"] == servers.url

    servers.demote()
    # With Redis as the broker, ingest answers 503 meanwhile.
    sent = [] if is_broker else [(gate.send(name), name) for name in NAMES * 2]
    wait_for(lambda: gate.ready() == 503)
    wait_for(lambda: faults(gate, "readonly") > before)
    servers.move_address()
    sent += [(send_as_eventbridge(gate, name), name) for name in NAMES]

    for message_id, name in sent:
        one_verdict(gate, message_id, name)
    wait_for(lambda: gate.ready() == 200)


def test_redis_is_full_for_some_seconds(gate: RunningDwgate, servers: ReplicatedRedis) -> None:
    """celery 5716, sentry self-hosted 3888: `maxmemory` is reached with `noeviction`."""
    before = faults(gate, "out-of-memory")
    is_broker = gate.environment["DWGATE_BROKER_URL"] == servers.url
    gate.emulator.fault("delay", action="GetIDEEventDetail", times=None, seconds=1)
    sent = [(gate.send(name), name) for name in NAMES * 2]
    servers.configure("maxmemory", 1)
    try:
        sent += [] if is_broker else [(gate.send(name), name) for name in NAMES]
        wait_for(lambda: faults(gate, "out-of-memory") >= before + 8)
    finally:
        servers.configure("maxmemory", 0)
        gate.emulator.clear_faults()
    for message_id, name in sent:
        one_verdict(gate, message_id, name)


@pytest.mark.faults
def test_redis_hangs_in_a_burst(gate: RunningDwgate, servers: ReplicatedRedis) -> None:
    """redis-py 261 and 4082, jedis 3187: a hang costs no check an attempt, and no message a delivery."""
    before = faults(gate, "hangs")
    gate.emulator.fault("delay", action="GetIDEEventDetail", times=None, seconds=1)
    sent = [(gate.send(name), name) for name in NAMES * 4]
    servers.master.stop_process()
    try:
        # Several timeouts for each process.
        wait_for(lambda: faults(gate, "hangs") >= before + 30, 40)
    finally:
        servers.master.resume()
        gate.emulator.clear_faults()
    for message_id, name in sent:
        one_verdict(gate, message_id, name)
    assert gate.metric("dwgate_dead_letters_total") == 0
