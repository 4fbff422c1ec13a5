"""What `/healthz` and `/readyz` of a worker say."""

from __future__ import annotations

import pytest

from workers.process import health
from workers.process.health import PROGRESS_SECONDS, RESTART_SECONDS, Health

STALLED = PROGRESS_SECONDS + 1
LONG = RESTART_SECONDS + 1


def process(
    *,
    runs: bool = True,
    ready: bool = True,
    was_ready: bool = True,
    stalled: float = 0.0,
    away: float | None = 0.0,
    hanging: int = 0,
) -> Health:
    return Health(("checks-io", "intake"), runs, ready, was_ready, stalled, away, hanging)


@pytest.mark.parametrize(
    ("subject", "state", "alive"),
    [
        (process(), "ready", True),
        (process(ready=False, was_ready=False, away=None), "starting", False),
        (process(ready=False, was_ready=False, away=1.0), "starting", True),
        (process(ready=False, was_ready=False, away=LONG), "starting", False),
        (process(ready=False, away=LONG), "disconnected", True),
        (process(stalled=STALLED), "stalled", False),
        (process(ready=False, stalled=STALLED), "stalled", False),
        (process(runs=False, ready=True, away=1.0), "down", True),
        (process(runs=False, ready=True, stalled=STALLED, away=LONG), "down", False),
    ],
)
def test_a_role_is_ready_while_it_works_and_alive_while_its_supervisor_may_bring_it_back(
    subject: Health, state: str, alive: bool
) -> None:
    assert subject.state == state
    assert subject.is_alive is alive
    is_ready, text = health.describe([process(), subject], readiness=True)
    assert is_ready is (state == "ready")
    assert text == ("ok" if is_ready else f"checks-io {state}\nintake {state}")
    assert health.describe([subject], readiness=False)[0] is alive


def test_a_check_that_hangs_is_shown_and_is_no_fault_of_the_process() -> None:
    processes = [process(hanging=2), process(hanging=1)]
    for readiness in (True, False):
        assert health.describe(processes, readiness=readiness) == (True, "ok\nchecks that hang: 3")
