"""What a child process tells the supervisor, in memory that both share: no engine is needed for it."""

from __future__ import annotations

import ctypes


class ProcessState(ctypes.Structure):
    """The state of one child process.

    Attributes:
        last_progress: when all its threads had last made progress, on the monotonic clock in seconds.
        is_ready: whether it does the work of its roles; False until it is connected to the broker.
        hanging_checks: runs of checks that were abandoned at their time limit and have not ended.
    """

    _fields_ = (
        ("last_progress", ctypes.c_double),
        ("is_ready", ctypes.c_bool),
        ("hanging_checks", ctypes.c_int),
    )
    last_progress: float
    is_ready: bool
    hanging_checks: int
