"""The loop that waits for engines to come back."""

from __future__ import annotations

import threading

import pytest
import redis
from kombu.exceptions import OperationalError
from structlog.testing import capture_logs

from workers.dataworks.errors import Unreachable
from workers.recovery.engine_loop import run_until_stopped

FAULTS = {
    "redis_unavailable": redis.ConnectionError("away"),
    "broker_unavailable": OperationalError("away"),
    "dataworks_unavailable": Unreachable("Get", "InternalError", "away"),
    "loop_step_failed": ValueError("secret"),
}


@pytest.mark.parametrize("event", FAULTS)
def test_goes_on_after_a_fault_and_names_what_is_away(event: str) -> None:
    stop = threading.Event()

    faults = [FAULTS[event]]

    def step() -> None:
        if faults:
            raise faults.pop()
        stop.set()

    with capture_logs() as logs:
        run_until_stopped(step, stop, component="test", every=0, pause=0)
    [entry] = logs
    assert entry["event"] == event
    assert entry["component"] == "test"
    assert "secret" not in repr(entry)


def test_a_loop_that_is_stopped_takes_no_step() -> None:
    stop = threading.Event()
    stop.set()
    run_until_stopped(pytest.fail, stop, component="test", every=0)
