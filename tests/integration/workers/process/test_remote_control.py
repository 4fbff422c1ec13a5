"""Celery's remote control of real workers: it shows them to Flower, and stops nothing."""

from __future__ import annotations

import psutil
import pytest
from celery import Celery

from common.topology import QueueName
from tests.support.queues import TOPOLOGY
from tests.support.running_dwgate import RunningDwgate, wait_for
from workers.celery_app import monitoring_config
from workers.process.remote_control import ALLOWED_COMMANDS


@pytest.fixture(scope="module")
def app(gate: RunningDwgate) -> Celery:
    app = Celery("operator", broker=gate.environment["DWGATE_BROKER_URL"], set_as_current=False)
    app.conf.update(monitoring_config(TOPOLOGY))
    return app


def test_no_command_stops_a_worker(gate: RunningDwgate, app: Celery) -> None:
    processes = psutil.Process(gate.workers[0].pid).children(recursive=True)
    app.control.shutdown()
    app.control.cancel_consumer(TOPOLOGY[QueueName.INTAKE].name)
    app.control.revoke("m-1.1.code-review", terminate=True)
    app.control.pool_shrink(31)
    # Each process handles its commands in order.
    replies = wait_for(lambda: app.control.inspect(timeout=5).ping())
    assert {name.partition("-")[0] for name in replies} == {"io", "reporter"}
    assert all(process.is_running() for process in processes)
    queues = app.control.inspect(timeout=5).active_queues()
    assert TOPOLOGY[QueueName.INTAKE].name in {
        queue["name"] for queues_ in queues.values() for queue in queues_
    }
    message_id = gate.send("commit-file-bad")
    assert gate.verdict(message_id)["result"] == "FAIL"


@pytest.mark.usefixtures("gate")
@pytest.mark.parametrize("command", ["conf", "reserved", "scheduled", "memsample", "report", "query_task"])
def test_no_command_shows_settings_or_arguments(app: Celery, command: str) -> None:
    assert command not in ALLOWED_COMMANDS
    for reply in app.control.broadcast(command, reply=True, timeout=3):
        assert [*reply.values()] == [{"error": f"KeyError({command!r})"}]
