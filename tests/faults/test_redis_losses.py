"""Redis forgets what it acknowledged, and every event keeps the one result that DataWorks accepted.

Reported as redis 6062 and 4819 (acknowledged writes lost by a failover), infrahub 9450 and sidekiq 3811.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from common.ledger import EventRecord, State
from tests.conftest import Broker, built_in_policy
from tests.support.engines import Valkey
from tests.support.running_dwgate import RunningDwgate, fleet, wait_for
from tests.support.sentinel import Sentinel

NAMES = ("commit-file-bad", "delete-file-bad", "freeze-node-bad")
DEADLINE_SECONDS = 8
LOOKUPS = ("GetIDEEventDetail", "GetNodeChildren")


class ForgetfulValkey(Valkey):
    """Valkey whose append-only file can be set back to an earlier moment."""

    @property
    def _file(self) -> Path:
        return self.directory / "appendonlydir"

    def remember(self) -> None:
        """Keep a copy of all that was acknowledged so far."""
        self.stop_process()
        shutil.copytree(self._file, self.directory / "kept")
        self.resume()

    def forget(self) -> None:
        """Crash, and start again with the copy."""
        self.kill()
        shutil.rmtree(self._file)
        (self.directory / "kept").rename(self._file)
        self.start()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ForgetfulValkey]:
    (tmp_path / "valkey").mkdir()
    engine = ForgetfulValkey(tmp_path / "valkey")
    engine.start()
    yield engine
    engine.close()


def settings(folder: Path) -> dict[str, str]:
    """Return settings with a policy of short deadlines."""
    policy = folder / "policy.yaml"
    policy.write_text(built_in_policy().replace("deadline: 60 #", f"deadline: {DEADLINE_SECONDS} #"))
    return {"DWGATE_POLICY_FILE": str(policy)}


@pytest.fixture(params=["rabbitmq", pytest.param("redis", marks=pytest.mark.faults)])
def gate(
    request: pytest.FixtureRequest, engine: ForgetfulValkey, rabbitmq: Broker, tmp_path: Path
) -> Iterator[RunningDwgate]:
    rabbitmq.restore()
    broker_url = rabbitmq.fresh_url() if request.param == "rabbitmq" else engine.url
    with fleet(broker_url, engine.url, tmp_path, settings=settings(tmp_path)) as running:
        yield running


def send_slowly(gate: RunningDwgate) -> list[str]:
    """Send an event of each sample, and return as soon as none is lost and before any is decided."""
    for action in LOOKUPS:
        gate.emulator.fault("delay", action=action, times=None, seconds=1)
    sent = [gate.send(name) for name in NAMES]
    wait_for(lambda: all(gate.ledger.states(sent)))
    assert not any(record.verdict for record in map(gate.ledger.get, sent) if record)
    return sent


def make_other_results(gate: RunningDwgate) -> None:
    """Make every check that looks something up end with an error, which counts as WARN."""
    gate.emulator.clear_faults()
    for action in LOOKUPS:
        gate.emulator.fault("error", action=action, times=None, status=403, code="Forbidden.RAM")


def accepted_once(gate: RunningDwgate, message_id: str) -> EventRecord:
    """Return the record of an event that ended with the one result that DataWorks accepted: FAIL."""

    def reported() -> EventRecord | None:
        record = gate.ledger.get(message_id)
        return record if record and record.state is State.REPORTED else None

    record = wait_for(reported, 30)
    assert record
    assert [post["result"] for post in gate.posts(message_id)] == ["FAIL"]
    assert record.accepted_verdict
    assert record.accepted_verdict.result == "FAIL"
    return record


def test_an_answered_event_is_not_answered_again(gate: RunningDwgate, engine: ForgetfulValkey) -> None:
    sent = send_slowly(gate)
    engine.remember()
    assert [gate.verdict(message_id)["result"] for message_id in sent] == ["FAIL"] * len(sent)
    make_other_results(gate)
    engine.forget()
    assert set(gate.ledger.states(sent)) <= {State.RECEIVED, State.CHECKING}

    for message_id in sent:
        assert accepted_once(gate, message_id).accepted_how == "already answered"


@pytest.mark.faults
def test_an_event_that_is_delivered_again_after_its_record_was_lost(
    gate: RunningDwgate, engine: ForgetfulValkey
) -> None:
    engine.remember()
    message_id, event, sample = gate.sample("freeze-node-bad")
    gate.start_process(message_id, sample)
    assert gate.post(event).status_code == 200
    assert gate.verdict(message_id)["result"] == "FAIL"
    make_other_results(gate)
    engine.forget()
    assert gate.ledger.get(message_id) is None

    assert gate.ingest
    gate.ingest.kill()  # it knows which events it has published
    gate.ingest.wait()
    gate.start_ingest()
    assert gate.post(event).status_code == 200
    accepted_once(gate, message_id)


def test_a_failover_to_a_replica_that_lags(engine: ForgetfulValkey, rabbitmq: Broker, tmp_path: Path) -> None:
    for name in ("replica", "sentinel"):
        (tmp_path / name).mkdir()
    replica, sentinel = Valkey(tmp_path / "replica"), Sentinel(tmp_path / "sentinel", engine)
    rabbitmq.restore()
    try:
        replica.start()
        sentinel.start()
        control = redis.Redis.from_url(replica.url)
        replica.follow(engine)
        with fleet(rabbitmq.fresh_url(), sentinel.url, tmp_path, settings=settings(tmp_path)) as gate:
            sent = send_slowly(gate)
            keys = [gate.ledger.key(f"event:{message_id}") for message_id in sent]
            wait_for(lambda: control.exists(*keys) == len(keys))
            control.replicaof("NO", "ONE")
            assert [gate.verdict(message_id)["result"] for message_id in sent] == ["FAIL"] * len(sent)
            make_other_results(gate)
            sentinel.move(replica)
            engine.kill()
            for message_id in sent:
                accepted_once(gate, message_id)
        control.close()
    finally:
        for each in (sentinel, replica):
            each.close()
