"""Threads for the checks that no timer can end: INLINE and IO.

A check that hangs (a sleep, a socket without a timeout) keeps its thread. Its event is answered without it at
its limit. While it hangs, further runs of the same check for the same workspace are refused at once, except
one now and then: so it takes few threads, and hardly any time of other checks. Other workspaces are not
affected, since it may be the input that makes it hang, unless it hangs for many of them.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import structlog

from common import clock
from common.errors import DwgateError
from common.plan import RECORDING_SECONDS
from common.processes.thread_limits import LimitedThread
from common.processes.time_limits import TimeLimitReached
from workers import metrics, progress
from workers.checks.api import Check, Runs

WORK_SECONDS = {Runs.INLINE: 5.0, Runs.IO: 10.0}
"""Time limit of a check's own work, lookups excluded."""

MIN_REAL_SECONDS = 0.5
"""Time that a check gets even if the deadline is nearer."""

HANDLING_SECONDS = 0.25
"""Time between the end of a check's lookups and the end of its thread, to return what it has found."""

MAX_HANGING = 16
"""Abandoned runs of a check, for any workspaces, above which all its runs are refused."""

RETRY_SECONDS = 30.0
"""Interval at which a check that hangs is tried again."""

log = structlog.get_logger()

T = TypeVar("T")

_Key = tuple[str, int | None]
"""A check and the workspace for which it runs."""


class DeadlineNear(DwgateError):
    """The deadline came before the limit of the check's own work, while it waited for something else."""


def lookup_limit(deadline: float) -> float:
    """Return until when a check may look something up, if its outcome is due at `deadline`.

    A lookup that takes longer fails, which the check can handle; its thread is only abandoned later.
    """
    return deadline - RECORDING_SECONDS - HANDLING_SECONDS


class CheckThreads:
    """The threads of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hanging: Counter[str] = Counter()
        self._hanging_for: Counter[_Key] = Counter()
        self._retry_at: dict[_Key, float] = {}

    @property
    def hanging(self) -> int:
        """Number of runs that were abandoned and have not ended."""
        return self._hanging.total()

    def run(self, check: Check, workspace: int | None, work: Callable[[], T], deadline: float) -> T:
        """Run `work` of `check` in a thread, and return its result.

        Args:
            check: the check.
            workspace: whose event it checks.
            work: its work.
            deadline: of its outcome, in seconds since the epoch by the fleet's clock.

        Raises:
            TimeLimitReached: it hangs, or an earlier run hangs.
            DeadlineNear: it waits for something else, and the deadline is near.
        """
        key = check.name, workspace
        if not self._may_run(key):
            raise TimeLimitReached
        thread = LimitedThread(lambda: _as_step(work))
        real_seconds = max(deadline - RECORDING_SECONDS - clock.now(), MIN_REAL_SECONDS)
        if thread.wait(WORK_SECONDS[check.runs], real_seconds):
            return thread.result()
        is_working = thread.is_working
        self._abandon(key, thread)
        if is_working:
            raise TimeLimitReached
        raise DeadlineNear(f"check {check.name}: the deadline is near")

    def _may_run(self, key: _Key) -> bool:
        with self._lock:
            if self._hanging_for[key]:
                refused = key
            elif self._hanging[key[0]] > MAX_HANGING:
                refused = key[0], None
            else:
                return True
            if time.monotonic() < self._retry_at.get(refused, 0.0):
                return False
            self._retry_at[refused] = time.monotonic() + RETRY_SECONDS
            return True

    def _abandon(self, key: _Key, thread: LimitedThread[T]) -> None:
        name, _ = key
        with self._lock:
            self._hanging[name] += 1
            self._hanging_for[key] += 1
            self._retry_at[key] = self._retry_at[name, None] = time.monotonic() + RETRY_SECONDS
        metrics.CHECKS_HUNG.labels(name).inc()
        log.error("check_hung", check=name)
        thread.on_end(lambda: self._note_end(key))

    def _note_end(self, key: _Key) -> None:
        with self._lock:
            self._hanging[key[0]] -= 1
            self._hanging_for[key] -= 1


def _as_step(work: Callable[[], T]) -> T:
    # Waiting is no fault of the process, but a loop is: it takes the other threads' time.
    with progress.step(may_wait=True):
        return work()
