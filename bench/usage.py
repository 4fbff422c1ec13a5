"""CPU seconds of everything that a benchmark started, by what it is."""

from __future__ import annotations

from collections import Counter

import psutil

_NAMES = {
    "beam.smp": "RabbitMQ",
    "valkey-server": "Valkey",
    "deploy.local.emulator": "emulator",
    "console.main ingest": "ingest",
    "console.main worker": "supervisor",
    "workers.worker checks": "checks (computing)",
    "workers.worker waiting": "intake and waiting",
    "workers.worker reports": "reports",
    "workers.worker watch": "watchdog",
    "celery_chord checks": "checks (computing)",
    "celery_chord waiting": "intake and waiting",
    "celery_chord reports": "reports",
}


def by_process() -> Counter[str]:
    """Return the CPU seconds, user and system, of each kind of process below this one."""
    seconds: Counter[str] = Counter()
    for process in psutil.Process().children(recursive=True):
        try:
            command, times = " ".join(process.cmdline()), process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        name = next((name for part, name in _NAMES.items() if part in command), "other")
        seconds[name] += times.user + times.system
    return seconds


def difference(before: Counter[str], after: Counter[str]) -> dict[str, float]:
    """Return what was used between two looks."""
    return {name: after[name] - before[name] for name in after}
