"""Fleets of two extensions on one broker and one Redis: each receives and answers its own events only."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from celery import Celery

from common.topology import Topology
from tests.conftest import Broker
from tests.support.emulator_process import EXTENSION_CODE
from tests.support.engines import Valkey
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final
from workers.celery_app import monitoring_config

DWGATE = Path(sys.executable).with_name("dwgate")
OTHER_CODE = "other-extension"
NAMES = ("commit-file-bad", "freeze-node-bad", "run-file-good")

Fleets = tuple[RunningDwgate, RunningDwgate]


@pytest.fixture(scope="module", params=["rabbitmq", pytest.param("redis", marks=pytest.mark.faults)])
def fleets(
    request: pytest.FixtureRequest,
    engines: tuple[Broker, Valkey],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Fleets]:
    """Two fleets, each with an emulator of its own."""
    broker, valkey = engines
    valkey.clean()
    url = broker.url if request.param == "rabbitmq" else valkey.url
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                fleet(url, valkey.url, tmp_path_factory.mktemp("fleet"), workers=0, extension_code=code)
            )
            for code in (EXTENSION_CODE, OTHER_CODE)
        ]
        for gate in started:
            gate.start_worker("--processes", "1")
        yield started[0], started[1]


def test_each_fleet_answers_its_own_events(fleets: Fleets) -> None:
    """Sources: celery 2625, 4521."""
    sent = [(gate, gate.send(name), name) for _ in range(3) for name in NAMES for gate in fleets]
    for gate, message_id, name in sent:
        assert gate.verdict(message_id, 60)["result"] == SAMPLES[name].expected
        assert wait_until_final(gate, message_id).pending_checks == ()
    for gate, other in (fleets, fleets[::-1]):
        for owner, message_id, _ in sent:
            assert len(gate.posts(message_id)) == (owner is gate)
            assert (other.ledger.get(message_id) is None) == (owner is gate)
    for gate in fleets:
        assert gate.ledger.rejects() == []


def test_remote_control_reaches_one_fleet(fleets: Fleets) -> None:
    """Source: celery 4521."""
    url = fleets[0].environment["DWGATE_BROKER_URL"]
    for gate, names in zip(fleets, (TOPOLOGY, Topology(OTHER_CODE)), strict=True):
        app = Celery("operator", broker=url, set_as_current=False)
        app.conf.update(monitoring_config(names))
        replies = wait_for(lambda app=app: app.control.inspect(timeout=2).ping())  # type: ignore[misc]
        assert set(replies) <= set(gate.ledger.membership.workers())
        app.close()


@pytest.mark.faults
def test_the_doctor_recognizes_a_fleet_with_the_same_names(fleets: Fleets) -> None:
    gate = fleets[0]

    def diagnosis() -> dict[str, str]:
        answer = subprocess.run(
            [DWGATE, "doctor", "--json"],
            env=gate.environment,
            cwd=gate.directory,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        found = json.loads(answer.stdout)["diagnoses"]
        return next(item for item in found if item["what"] == "other fleets")

    assert diagnosis()["health"] == "good"
    foreign = fleets[1]
    foreign.environment["DWGATE_NAMESPACE"] = TOPOLOGY.namespace
    worker = foreign.start_worker("--role", "reporter")
    assert diagnosis()["health"] == "wrong"
    foreign.kill(worker)
