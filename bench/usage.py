"""CPU seconds of all processes started by a benchmark, by kind."""

from __future__ import annotations

from collections import defaultdict

import psutil

_NAMES = {
    "beam.smp": "RabbitMQ",
    "valkey-server": "Valkey",
    "emulator.dataworks.server": "emulator",
    "console.main ingest": "front",
    "fastapi_send_task": "front",
    "dwgate-checks": "checks (computing)",
    "dwgate-slow": "slow checks",
    "dwgate-io": "intake and I/O",
    "dwgate-reporter": "reports",
    "dwgate-watchdog": "watchdog",
    "dwgate-recovery": "recovery",
    "dwgate-metrics": "metrics",
    "console.main worker": "supervisor",
    "celery_chord checks": "checks (computing)",
    "celery_chord waiting": "intake and I/O",
    "celery_chord reports": "reports",
}


def by_process() -> dict[str, float]:
    """Return the CPU seconds, user and system, of each kind of child process."""
    seconds: dict[str, float] = defaultdict(float)
    for process in psutil.Process().children(recursive=True):
        try:
            command = " ".join([process.name(), *process.cmdline()])
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        name = next((name for part, name in _NAMES.items() if part in command), "other")
        seconds[name] += times.user + times.system
    return seconds


def difference(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Return the usage between two measurements."""
    return {name: used - before.get(name, 0.0) for name, used in after.items()}
