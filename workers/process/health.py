"""Liveness and readiness of a worker, by role.

Ready is a role whose process does its work now. Alive is one that does it, or that its supervisor is about to
bring back: a restart of the whole worker would only take longer.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from workers.process.process_state import ProcessState

PROGRESS_SECONDS = 10.0
"""Seconds without progress after which a process is neither ready nor alive. It reports every second."""

RESTART_SECONDS = 60.0
"""Seconds in which the supervisor may bring back a process that was ready: a pause and a start."""


@dataclass(frozen=True, slots=True)
class Health:
    """Health of one process at one moment.

    Attributes:
        roles: the roles that it runs.
        is_running: whether it exists.
        is_ready: whether it does its work, as it reported last.
        was_ready: whether it was ready before; if it is not now, its broker is away.
        stalled_for: seconds since its last progress.
        away_for: seconds since it was last ready; None if no process of this worker ever was in its place.
        hanging_checks: runs of checks that were abandoned in it and have not ended.
    """

    roles: tuple[str, ...]
    is_running: bool
    is_ready: bool
    was_ready: bool
    stalled_for: float
    away_for: float | None
    hanging_checks: int = 0

    @property
    def state(self) -> str:
        """`ready`, `starting`, `disconnected` (from the broker), `stalled` or `down`."""
        if not self.is_running:
            return "down"
        if self.stalled_for > PROGRESS_SECONDS:
            return "stalled"
        if self.is_ready:
            return "ready"
        return "disconnected" if self.was_ready else "starting"

    @property
    def is_alive(self) -> bool:
        """Whether a restart of the worker would change nothing for the better."""
        match self.state:
            case "ready" | "disconnected":
                return True
            case "stalled":
                return False
        return self.away_for is not None and self.away_for <= RESTART_SECONDS


def health_of(roles: tuple[str, ...], state: ProcessState) -> Health:
    """Return the health now of the process with this state."""
    now = time.monotonic()
    return Health(
        roles,
        state.pid != 0,
        state.is_ready,
        state.was_ready,
        now - state.last_progress,
        now - state.ready_at if state.ready_at else None,
        state.hanging_checks,
    )


def describe(processes: Iterable[Health], *, readiness: bool) -> tuple[bool, str]:
    """Return whether all processes are ready or, without `readiness`, alive; and the text that says so.

    The text has one line for each role with a fault (`intake stalled`), or `ok`; then, if there are any, the
    number of checks that hang, which is no fault of a process.
    """
    processes = list(processes)
    faults = {
        f"{role} {each.state}"
        for each in processes
        for role in each.roles
        if (each.state != "ready" if readiness else not each.is_alive)
    }
    lines = sorted(faults) or ["ok"]
    if hanging := sum(each.hanging_checks for each in processes):
        lines.append(f"checks that hang: {hanging}")
    return not faults, "\n".join(lines)
