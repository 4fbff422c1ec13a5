"""Flower shows each check and each posted verdict as a task, on both brokers and whichever process did it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from common import topology
from common.ledger import State
from tests.conftest import Broker
from tests.support.engines import Valkey, clean_broker
from tests.support.running_dwgate import SAMPLES, RunningDwgate, fleet, wait_for, wait_until_final


@pytest.fixture(params=["rabbitmq", pytest.param("redis", marks=pytest.mark.faults)])
def gate(
    request: pytest.FixtureRequest, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDwgate]:
    valkey.restore()
    valkey.clean()
    broker_url = valkey.url
    if request.param == "rabbitmq":
        rabbitmq: Broker = request.getfixturevalue("rabbitmq")
        rabbitmq.restore()
        clean_broker(rabbitmq.url)
        broker_url = rabbitmq.url
    with fleet(broker_url, valkey.url, tmp_path_factory.mktemp("flower")) as running:
        yield running


def reports(gate: RunningDwgate, url: str) -> dict[str, dict[str, Any]]:
    """Return the reports in Flower, by id."""
    return dict(gate.http.get(url, params={"taskname": topology.TASK_REPORT}).json())


def shown(
    gate: RunningDwgate, url: str, message_id: str, *, state: str = "SUCCESS", worker: str = ""
) -> bool:
    """Whether Flower shows the report of an event with this state and prefix of the worker name."""
    row = reports(gate, url).get(f"{message_id}.1.report")
    return bool(row and row["state"] == state and row["worker"].startswith(worker))


def watched(gate: RunningDwgate) -> str:
    """Start Flower, wait until the workers send events, and return the URL of its tasks."""
    url = gate.start_flower()
    for name in ("commit-file-good", "freeze-node-good"):  # posted by the reporter, and inline
        wait_for(lambda name=name: shown_soon(gate, url, gate.send(name)), 60)  # type: ignore[misc]
    return url


def shown_soon(gate: RunningDwgate, url: str, message_id: str) -> bool:
    wait_until_final(gate, message_id, 30)
    time.sleep(1)
    return shown(gate, url, message_id)


def test_every_report_is_a_task_that_names_its_event(gate: RunningDwgate) -> None:
    url = watched(gate)
    before = set(reports(gate, url))
    sent = [gate.send(name) for name in sorted(SAMPLES)]
    for message_id in sent:
        assert wait_until_final(gate, message_id, 60).state is State.REPORTED
    wait_for(lambda: all(shown(gate, url, message_id) for message_id in sent))
    assert set(reports(gate, url)) - before == {f"{message_id}.1.report" for message_id in sent}
    workers = {row["worker"].partition("-")[0] for row in reports(gate, url).values()}
    assert workers == {"reporter", "io"}, "some are posted inline, some by the reporters"


def test_every_check_is_a_task_whose_state_and_result_are_its_end(gate: RunningDwgate) -> None:
    url = watched(gate)
    expected = {
        # In an intake process, in a process of checks, and together with others.
        ("commit-file-bad", "code-review"): ("FAILURE", "Blocked"),
        ("commit-file-good", "code-review"): ("SUCCESS", "passed"),
        ("freeze-node-bad", "downstream-impact"): ("FAILURE", "Blocked"),
        ("freeze-node-good", "downstream-impact"): ("SUCCESS", "passed"),
    }
    sent = {name: gate.send(name) for name, _ in expected}
    for message_id in sent.values():
        assert wait_until_final(gate, message_id, 60).state is State.REPORTED

    def check(name: str, check_name: str) -> dict[str, Any]:
        tasks = gate.http.get(url, params={"taskname": f"{topology.TASK_CHECK}.{check_name}"}).json()
        return dict(tasks.get(f"{sent[name]}.1.{check_name}", {}))

    for (name, check_name), (state, shown_end) in expected.items():
        wait_for(lambda n=name, c=check_name, s=state: check(n, c).get("state") == s)  # type: ignore[misc]
        task = check(name, check_name)
        assert shown_end in (task["exception"] or task["result"])
        assert task["runtime"] > 0
    names = {task["name"] for task in gate.http.get(url).json().values()}
    assert topology.TASK_CHECK not in names, "a message of several checks is no task"
    for name, message_id in sent.items():
        report = reports(gate, url)[f"{message_id}.1.report"]
        assert report["result"] == SAMPLES[name].expected

    page = gate.http.get(url.replace("/api/tasks", f"/task/{sent['commit-file-bad']}.1.code-review")).text
    assert f"dwgate events show {sent['commit-file-bad']}" in page
    tasks = gate.http.get(url).json().values()
    roles = {task["worker"].partition("@")[0].partition(".")[2] for task in tasks}
    assert roles >= {"checks-io.intake", "checks-cpu"}, "workers are named by their roles"


def test_what_the_watchdog_posts_is_shown_too(gate: RunningDwgate) -> None:
    url = gate.start_flower()
    gate.kill(gate.workers[0])
    gate.start_worker("--role", "intake", "--role", "watchdog")  # nothing runs its checks
    message_id = gate.send("run-file-bad")
    assert wait_until_final(gate, message_id, 90).state is State.REPORTED
    wait_for(lambda: shown(gate, url, message_id, worker="watchdog"))
