"""A network that delays, slices, cuts or resets: every event is answered once, in time.

The faults are the toxics of toxiproxy. They hit all calls of the OpenAPI, or all commands of Redis.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from common.ledger import State
from common.verdicts import OutcomeKind
from tests.conftest import Broker
from tests.support.engines import PASSWORD, Valkey, free_port
from tests.support.event_assertions import one_verdict
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final
from tests.support.tcp_relay import TcpRelay, Toxic

NAMES = ("commit-file-bad", "deploy-table-bad", "freeze-node-bad", "run-file-good", "unfreeze-node-good")
TOXICS = {
    "latency": Toxic(latency=0.3),
    "bandwidth": Toxic(bandwidth=4000),
    "slicer": Toxic(slicer=50),
    "slow_close": Toxic(slow_close=3.0),
    "timeout": Toxic(timeout=1.0),
    "reset_peer": Toxic(reset_peer=True),
    "limit_data": Toxic(limit_data=200),
}
DISTURBED = 12
"""Responses that a toxic hits which lets none arrive, before the network works again."""


@pytest.fixture(scope="module")
def openapi() -> Iterator[TcpRelay]:
    """The address of the OpenAPI; its target is a free port."""
    relay = TcpRelay(free_port())
    relay.start()
    yield relay
    relay.close()


@pytest.fixture(scope="module")
def redis_address(engines: tuple[Broker, Valkey]) -> Iterator[TcpRelay]:
    relay = TcpRelay(engines[1].port)
    relay.start()
    yield relay
    relay.close()


@pytest.fixture(scope="module")
def running(
    engines: tuple[Broker, Valkey],
    openapi: TcpRelay,
    redis_address: TcpRelay,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningDwgate]:
    """Ingest and one worker that reach the OpenAPI and Redis through relays."""
    settings = {
        "DWGATE_OPENAPI_ENDPOINT": f"127.0.0.1:{openapi.port}",
        "DWGATE_REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:{redis_address.port}/0",
    }
    folder = tmp_path_factory.mktemp("network")
    with fleet(engines[0].url, engines[1].url, folder, settings=settings, port=openapi.target) as gate:
        yield gate


@pytest.fixture
def gate(running: RunningDwgate, openapi: TcpRelay, redis_address: TcpRelay) -> Iterator[RunningDwgate]:
    yield running
    openapi.toxic = redis_address.toxic = Toxic()


@pytest.mark.parametrize("count", [1, pytest.param(10, marks=pytest.mark.faults)])
@pytest.mark.parametrize("kind", TOXICS)
def test_responses_of_the_openapi_arrive_late_in_part_or_not_at_all(
    gate: RunningDwgate, openapi: TcpRelay, kind: str, count: int
) -> None:
    before = openapi.disturbed
    openapi.toxic = TOXICS[kind]
    sent = [(gate.send(name), name) for name in NAMES * count]
    if openapi.toxic.is_fatal:
        wait_for(lambda: openapi.disturbed >= before + DISTURBED, 30)
        openapi.toxic = Toxic()
    for message_id, name in sent:
        one_verdict(gate, message_id, name)
    assert openapi.disturbed > before


@pytest.mark.parametrize("kind", [kind for kind, toxic in TOXICS.items() if toxic.is_fatal])
def test_the_answer_to_a_verdict_does_not_arrive(gate: RunningDwgate, openapi: TcpRelay, kind: str) -> None:
    """DataWorks has accepted the verdict; the toxic waits until the posts are under way."""
    action, count = "UpdateWorkbenchEventResult", 10
    gate.emulator.fault("delay", action=action, times=count, seconds=1)
    posted = gate.emulator.state()["calls"].get(action, 0)
    sent = [gate.send("freeze-node-bad") for _ in range(count)]
    wait_for(lambda: gate.emulator.state()["calls"].get(action, 0) > posted)
    before = openapi.disturbed
    openapi.toxic = TOXICS[kind]
    wait_for(lambda: sum(bool(gate.posts(message_id)) for message_id in sent) >= 3)
    wait_for(lambda: openapi.disturbed >= before + 3)
    openapi.toxic = Toxic()
    for message_id in sent:
        one_verdict(gate, message_id, "freeze-node-bad")


@pytest.mark.parametrize(
    ("names", "seconds"),
    [(NAMES, 0.1), pytest.param((*NAMES, *NAMES), 1.0, marks=pytest.mark.faults)],
)
def test_redis_replies_late(
    gate: RunningDwgate, redis_address: TcpRelay, names: tuple[str, ...], seconds: float
) -> None:
    """Each command costs `seconds`; checks that do not finish in time count as the policy says."""
    before = redis_address.disturbed
    redis_address.toxic = Toxic(latency=seconds)
    sent = {gate.send(name): name for name in names}
    for message_id, name in sent.items():
        posted = gate.verdict(message_id, 90)["result"]
        record = wait_until_final(gate, message_id, 60)
        assert record.state is State.REPORTED, record.timeline
        assert record.verdict
        assert record.verdict.result == posted
        kinds = {outcome.kind for outcome in record.outcomes.values()}
        is_complete = not record.pending_checks and not kinds & {OutcomeKind.TIMED_OUT, OutcomeKind.ERROR}
        assert not is_complete or posted == SAMPLES[name].expected
        [post] = gate.posts(message_id)
        assert post["at"] < record.deadline_at
    assert redis_address.disturbed >= before + len(sent)
