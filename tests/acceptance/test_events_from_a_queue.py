"""Ingest with the source amqp, and no other source: samples, duplicates, rejects, through real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from common.ledger import State
from emulator.eventbridge import event_bodies
from tests.conftest import Broker
from tests.support.engines import Valkey
from tests.support.event_assertions import one_verdict
from tests.support.running_dwgate import ACCOUNT, SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final
from tests.support.source_queue import SourceQueue

DWGATE = str(Path(sys.executable).with_name("dwgate"))
DELIVERIES = 5


@pytest.fixture(scope="module")
def gate(engines: tuple[Broker, Valkey], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDwgate]:
    source = SourceQueue(engines[0].fresh_url())
    source.declare()
    folder = tmp_path_factory.mktemp("queue")
    with fleet(engines[0].url, engines[1].url, folder, source=source) as running:
        yield running


def source_of(gate: RunningDwgate) -> SourceQueue:
    assert gate.source
    return gate.source


def received(gate: RunningDwgate, status: str) -> float:
    """Return how many events ingest has received with this status."""
    lines = gate.http.get(f"{gate.url}/metrics").text.splitlines()
    [line] = [line for line in lines if line.startswith(f'dwgate_ingest_events_total{{status="{status}"}}')]
    return float(line.rpartition(" ")[2])


def test_every_sample_gets_its_verdict_once(gate: RunningDwgate) -> None:
    sent = {name: gate.send(name) for name in SAMPLES}
    assert len(sent) == 20
    for name, message_id in sent.items():
        one_verdict(gate, message_id, name)


def test_an_event_that_is_delivered_five_times_gets_one_verdict(gate: RunningDwgate) -> None:
    before = received(gate, "queued")
    names = sorted(SAMPLES)
    events = [gate.sample(names[number % len(names)]) for number in range(40)]
    for message_id, _, sample in events:
        gate.start_process(message_id, sample)
    source_of(gate).publish(*[event for _, event, _ in events for _ in range(DELIVERIES)])
    for message_id, _, sample in events:
        one_verdict(gate, message_id, sample.name)
    assert received(gate, "queued") == before + len(events)
    assert received(gate, "duplicate") >= len(events) * (DELIVERIES - 1)


def test_a_regular_copy_starts_no_second_check(gate: RunningDwgate) -> None:
    message_id, event, sample = gate.sample("commit-file-good")
    gate.start_process(message_id, sample)
    copy = event_bodies.regular_copy(event)
    source_of(gate).publish(event, copy)
    one_verdict(gate, message_id, "commit-file-good")
    record = wait_until_final(gate, copy["id"])
    assert (record.state, record.planned_checks) == (State.IGNORED, ())
    assert gate.emulator.verdicts(copy["id"]) == []


def test_what_is_no_event_is_listed_and_does_not_stay_in_the_queue(gate: RunningDwgate) -> None:
    _, foreign, _ = gate.sample("commit-file-good")
    foreign["aliyunaccountid"] = "42"
    before = received(gate, "rejected")
    source_of(gate).publish(b"not json", b"{}", foreign)
    wait_for(lambda: received(gate, "rejected") == before + 3)
    answer = subprocess.run(
        [DWGATE, "events", "rejects", "--json"],
        env=gate.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    reasons = {item["reason"] for item in orjson.loads(answer.stdout)["rejects"]}
    assert reasons >= {
        "body is not JSON",
        "aliyunaccountid is missing",
        "aliyunaccountid is of another account",
    }
    assert gate.ledger.get(foreign["id"]) is None
    assert source_of(gate).length() == 0


def test_the_send_command_delivers_to_the_queue(gate: RunningDwgate) -> None:
    def send(*options: str) -> subprocess.CompletedProcess[str]:
        source = source_of(gate)
        command = [DWGATE, "send", "freeze-node-bad", "--url", source.url, "--account", ACCOUNT, *options]
        return subprocess.run(
            command, env=gate.environment, capture_output=True, text=True, check=False, timeout=120
        )

    emulator = ("--emulator", f"http://{gate.emulator.host_port}", "--duplicate", "1")
    answer = send("--queue", source_of(gate).name, *emulator)
    assert answer.returncode == 0, answer.stderr
    assert "confirmed" in answer.stdout
    assert "FAIL" in answer.stdout
    missing = send("--queue", "no-such-queue")
    assert missing.returncode == 1
    assert "DeliveryError" in missing.stdout or "PublishError" in missing.stdout


def test_no_code_and_no_secret_is_in_any_log(gate: RunningDwgate) -> None:
    gate.verdict(gate.send("commit-file-bad"))
    logs = gate.logs()
    assert "broker_connected" in logs
    for secret in ("MadeUpSecretOfTheShop", "dws_trade_user_1d", "guest:guest", "test-secret", "made-up"):
        assert secret not in logs
