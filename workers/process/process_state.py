"""The state of a child process, in memory that all processes of a worker share; no engine is needed."""

from __future__ import annotations

import ctypes


class ProcessState(ctypes.Structure):
    """The state of one child process, and of those that replace it.

    The process writes the first three, the supervisor the others. Times are those of the monotonic clock.

    Attributes:
        last_progress: when all its threads had last made progress.
        is_ready: whether it does the work of its roles; False until it is connected to the broker.
        hanging_checks: runs of checks that were abandoned at their time limit and have not ended.
        pid: its process id; 0 while it does not run.
        was_ready: whether this process was ready.
        ready_at: when it, or a process before it, was last ready; 0 if none ever was.
    """

    _fields_ = (
        ("last_progress", ctypes.c_double),
        ("is_ready", ctypes.c_bool),
        ("hanging_checks", ctypes.c_int),
        ("pid", ctypes.c_int),
        ("was_ready", ctypes.c_bool),
        ("ready_at", ctypes.c_double),
    )
    last_progress: float
    is_ready: bool
    hanging_checks: int
    pid: int
    was_ready: bool
    ready_at: float
