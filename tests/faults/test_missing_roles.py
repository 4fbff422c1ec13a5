"""Roles without a worker for a while (a crash loop, a slow roll-out): deadlines and policy hold."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from kombu import Connection

from common.ledger import EventRecord, State, connect
from common.topology import QueueName
from tests.conftest import Broker, built_in_policy
from tests.support.engines import Valkey
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_until_final
from workers.process.roles import Role

DEADLINE = 12
SENT = ("freeze-node-bad", "commit-file-bad", "freeze-node-good", "run-file-bad")


@pytest.fixture(scope="module", params=["rabbitmq", pytest.param("embedded", marks=pytest.mark.faults)])
def running(
    request: pytest.FixtureRequest,
    engines: tuple[Broker, Valkey],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningDwgate]:
    broker, valkey = engines
    folder = tmp_path_factory.mktemp("roles")
    policy = folder / "policy.yaml"
    policy.write_text(
        built_in_policy()
        .replace("deadline: 60", f"deadline: {DEADLINE}")
        .replace("run-file: {deadline: 20", f"run-file: {{deadline: {DEADLINE}")
    )
    broker_url = broker.url if request.param == "rabbitmq" else valkey.url
    settings = {"DWGATE_POLICY_FILE": str(policy)}
    with fleet(broker_url, valkey.url, folder, workers=0, settings=settings) as gate:
        yield gate


@pytest.fixture
def gate(running: RunningDwgate) -> Iterator[RunningDwgate]:
    yield running
    for worker in running.workers:
        running.kill(worker)
    running.workers.clear()


def start_without(gate: RunningDwgate, *missing: Role) -> None:
    roles = [argument for role in Role if role not in missing for argument in ("--role", role.value)]
    gate.start_worker("--processes", "1", *roles)


def answered(gate: RunningDwgate) -> tuple[dict[str, EventRecord], int]:
    """Send SENT; return their records, each answered once and in time, and the growth of intake's queue."""
    waiting, began = waiting_for_intake(gate), time.time()
    sent = {name: gate.send(name) for name in SENT}
    records = {}
    for name, message_id in sent.items():
        gate.verdict(message_id, DEADLINE + 5)
        [post] = gate.posts(message_id)
        records[name] = record = wait_until_final(gate, message_id)
        assert record.state is State.REPORTED
        assert record.event.received_at >= began
        assert record.event.data == SAMPLES[name].data | record.event.data
        assert not record.event.recovered
        assert began + DEADLINE <= record.deadline_at <= record.event.received_at + DEADLINE + 0.01
        assert post["at"] < record.deadline_at, f"{name}: {record.timeline}"
        assert record.verdict
        assert post["result"] in (record.verdict.result, "OK")
    return records, waiting_for_intake(gate) - waiting


def waiting_for_intake(gate: RunningDwgate) -> int:
    url = gate.environment["DWGATE_BROKER_URL"]
    if url.startswith("redis"):
        client = connect(url)
        try:
            return int(client.llen(TOPOLOGY[QueueName.INTAKE].name))
        finally:
            client.close()
    with Connection(url) as connection:
        declared = connection.default_channel.queue_declare(TOPOLOGY[QueueName.INTAKE].name, passive=True)
        return int(declared.message_count)


def expected(records: dict[str, EventRecord]) -> None:
    for name, record in records.items():
        assert record.verdict
        assert record.verdict.result == SAMPLES[name].expected, f"{name}: {record.verdict}"
        assert record.pending_checks == ()


@pytest.mark.parametrize(
    "missing",
    [
        (Role.INTAKE,),
        pytest.param((Role.REPORTER,), marks=pytest.mark.faults),
        # The service `worker-io` of the Compose file.
        pytest.param((Role.INTAKE, Role.CHECKS_IO, Role.REPORTER), marks=pytest.mark.faults),
    ],
    ids="-".join,
)
def test_without_these_roles_every_check_runs(gate: RunningDwgate, missing: tuple[Role, ...]) -> None:
    """One queue has no worker that takes from it, and all others look healthy: celery 2296, 2431."""
    start_without(gate, *missing)
    records, added = answered(gate)
    expected(records)
    assert added == (len(SENT) if Role.INTAKE in missing else 0), "messages do not multiply"


def test_without_checks_the_policy_decides_at_the_deadline(gate: RunningDwgate) -> None:
    start_without(gate, Role.CHECKS_CPU, Role.CHECKS_IO)
    records, _ = answered(gate)
    record = records["commit-file-bad"]
    assert record.verdict
    assert record.verdict.result == "WARN", "on_timeout of the built-in policy"
    assert record.verdict.reason == "deadline"
    assert "code-review" in record.verdict.tip
    expected({name: records[name] for name in ("freeze-node-bad", "freeze-node-good")})
