"""The CPU time that checks use."""

from __future__ import annotations

import resource
import time


def cpu_seconds() -> float:
    """Return the CPU seconds, user and system, that this process and its ended child processes have used."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
