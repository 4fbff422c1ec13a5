"""Tells the end of a worker process from code that exits."""

from __future__ import annotations

import traceback

_SIGNAL_HANDLERS = "billiard.common"
"""The module of Celery's process pool whose signal handlers raise SystemExit, wherever the process is."""


def is_pool_exit(error: SystemExit) -> bool:
    """Whether the process pool ends this process, so that the exception must not be caught.

    Otherwise the code that ran (a check, a review rule) called `sys.exit`.
    """
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") == _SIGNAL_HANDLERS for frame, _ in frames)
