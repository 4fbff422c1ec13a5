"""The queue source while a broker, Redis or ingest itself fails: no confirmed event is lost or doubled."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import Broker, built_in_policy
from tests.support.engines import RabbitMQ, Valkey
from tests.support.event_assertions import one_verdict
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_for
from tests.support.source_queue import SourceQueue

NAMES = sorted(SAMPLES)
FAILED_ATTEMPTS = "dwgate_ingest_unavailable_total"
REDELIVERED = "dwgate_ingest_source_redelivered_total"


@pytest.fixture(scope="module")
def source_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """The RabbitMQ that EventBridge writes to: another one than dwgate's own."""
    node = RabbitMQ(tmp_path_factory.mktemp("source"))
    try:
        node.start()
        yield node
    finally:
        node.close()


@pytest.fixture(scope="module")
def running(
    engines: tuple[Broker, Valkey], source_node: RabbitMQ, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDwgate]:
    source = SourceQueue(source_node.url)
    source.declare()
    folder = tmp_path_factory.mktemp("queue-faults")
    policy = folder / "policy.yaml"
    # A copy that RabbitMQ takes after an alarm has the time of its first attempt.
    policy.write_text(built_in_policy().replace("run-file: {deadline: 20", "run-file: {deadline: 60"))
    settings = {"DWGATE_POLICY_FILE": str(policy)}
    with fleet(engines[0].url, engines[1].url, folder, settings=settings, source=source) as gate:
        yield gate


@pytest.fixture
def gate(
    running: RunningDwgate, engines: tuple[Broker, Valkey], source_node: RabbitMQ
) -> Iterator[RunningDwgate]:
    """All engines running, and an ingest that consumes."""
    for engine in (*engines, source_node):
        engine.restore()
    running.emulator.clear_faults()
    wait_for(lambda: running.ready() == 200, 40)
    yield running
    for engine in (*engines, source_node):
        engine.restore()


def send_until(gate: RunningDwgate, has_ended: Callable[[], bool]) -> list[tuple[str, str]]:
    """Send events until `has_ended`, each again until the source confirms it; return their samples, too."""
    sent: list[tuple[str, str]] = []
    while not has_ended():
        name = NAMES[len(sent) % len(NAMES)]
        message_id, event, sample = gate.sample(name)
        gate.start_process(message_id, sample)
        wait_for(lambda event=event: gate.deliver(event), 90, every=0.2)  # type: ignore[misc]
        sent.append((message_id, name))
    return sent


def ends_after(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def all_have_one_verdict(gate: RunningDwgate, sent: list[tuple[str, str]]) -> None:
    assert sent
    for message_id, name in sent:
        one_verdict(gate, message_id, name)


def metric(gate: RunningDwgate, name: str) -> float:
    lines = gate.http.get(f"{gate.url}/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_a_source_that_is_killed_and_restarts(gate: RunningDwgate, source_node: RabbitMQ) -> None:
    sent = send_until(gate, ends_after(1))
    source_node.kill()
    wait_for(lambda: metric(gate, "dwgate_ingest_source_connected") == 0, 20)
    assert gate.ready() == 503
    source_node.start()
    sent += send_until(gate, ends_after(1))
    all_have_one_verdict(gate, sent)
    wait_for(lambda: gate.ready() == 200, 20)


@pytest.mark.faults
def test_the_own_broker_is_killed_and_restarts(gate: RunningDwgate, engines: tuple[Broker, Valkey]) -> None:
    """What the source delivers meanwhile is held, not returned."""
    failed, redelivered = metric(gate, FAILED_ATTEMPTS), metric(gate, REDELIVERED)
    engines[0].kill()
    sent = send_until(gate, ends_after(1))
    wait_for(lambda: metric(gate, FAILED_ATTEMPTS) > failed, 20)
    assert metric(gate, "dwgate_ingest_source_unacknowledged") > 0
    engines[0].start()
    all_have_one_verdict(gate, sent)
    assert metric(gate, REDELIVERED) == redelivered
    wait_for(lambda: metric(gate, "dwgate_ingest_source_unacknowledged") == 0, 20)


@pytest.mark.faults
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGTERM, id="stopped"),
        pytest.param(signal.SIGKILL, id="killed"),
    ],
)
def test_ingest_ends_in_a_burst(gate: RunningDwgate, number: signal.Signals) -> None:
    assert gate.ingest
    with ThreadPoolExecutor(4) as pool:
        senders = [pool.submit(send_until, gate, ends_after(2)) for _ in range(4)]
        time.sleep(1)  # the burst itself
        gate.ingest.send_signal(number)
        assert gate.ingest.wait(20) == (0 if number is signal.SIGTERM else -number)
        sent = [event for sender in senders for event in sender.result()]
    gate.start_ingest()
    all_have_one_verdict(gate, sent)


@pytest.mark.faults
def test_ingest_stops_while_it_holds_events(gate: RunningDwgate, engines: tuple[Broker, Valkey]) -> None:
    assert gate.ingest
    failed = metric(gate, FAILED_ATTEMPTS)
    engines[0].stop_process()
    sent = send_until(gate, ends_after(0.5))
    wait_for(lambda: metric(gate, FAILED_ATTEMPTS) > failed, 20)
    gate.ingest.terminate()
    assert gate.ingest.wait(20) == 0
    engines[0].resume()
    gate.start_ingest()
    all_have_one_verdict(gate, sent)


@pytest.mark.faults
@pytest.mark.parametrize("seconds", [30])
def test_a_source_that_hangs_under_load(gate: RunningDwgate, source_node: RabbitMQ, seconds: int) -> None:
    sent = send_until(gate, ends_after(1))
    source_node.stop_process()
    with ThreadPoolExecutor(1) as pool:
        during = pool.submit(send_until, gate, ends_after(seconds))
        wait_for(ends_after(seconds), seconds + 5)
        source_node.resume()
        all_have_one_verdict(gate, [*sent, *during.result(), *send_until(gate, ends_after(1))])


@pytest.mark.faults
def test_an_alarm_of_the_own_broker_under_load(gate: RunningDwgate, engines: tuple[Broker, Valkey]) -> None:
    """RabbitMQ blocks ingest without closing its connection; the source has more events than may be held."""
    broker = engines[0]
    assert isinstance(broker, RabbitMQ)
    failed, redelivered = metric(gate, FAILED_ATTEMPTS), metric(gate, REDELIVERED)
    broker.set_alarm(is_on=True)
    try:
        sent = send_until(gate, ends_after(20))
        assert metric(gate, "dwgate_ingest_source_unacknowledged") <= 100
        attempts = metric(gate, FAILED_ATTEMPTS) - failed
    finally:
        broker.set_alarm(is_on=False)
    assert attempts < 120, "one attempt for each that is held, then one every 5 seconds"
    all_have_one_verdict(gate, sent)
    assert metric(gate, REDELIVERED) == redelivered


@pytest.mark.faults
def test_a_password_of_the_source_that_changes_is_asked_again_without_haste(
    gate: RunningDwgate, source_node: RabbitMQ
) -> None:
    before = gate.logs().count('"broker_refused"')
    source_node._control("change_password", "guest", "changed")
    try:
        source_node._control("close_all_connections", "--global", "for the test")
        wait_for(lambda: gate.logs().count('"broker_refused"') > before, 30)
        time.sleep(10)
        assert gate.logs().count('"broker_refused"') == before + 1, "it waits 15 s after a refusal"
    finally:
        source_node._control("change_password", "guest", "guest")
    all_have_one_verdict(gate, send_until(gate, ends_after(1)))


@pytest.mark.faults
def test_redis_is_away_under_load(gate: RunningDwgate, engines: tuple[Broker, Valkey]) -> None:
    """Events pass into the own broker; what is no event waits for Redis."""
    assert gate.source
    engines[1].kill()
    gate.source.publish(b"not json")
    sent = send_until(gate, ends_after(5))
    engines[1].start()
    all_have_one_verdict(gate, sent)
    wait_for(lambda: metric(gate, "dwgate_ingest_source_unacknowledged") == 0, 20)
    assert any(item["body"] == "not json" for item in gate.ledger.rejects())
